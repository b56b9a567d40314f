//! From lines to the columns of a group of rows.

use super::columns::{Always, Column, SometimesFlag, SometimesText, Texts, text};
use crate::log::member;
use ::parquet::data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type};
use ::parquet::errors::ParquetError;
use ::parquet::file::writer::SerializedFileWriter;
use labtrust_contract::{HashChain, InvariantStatus, RbacDecision, SignatureVerification};
use serde::Deserialize;
use std::io::Write;

/// What the columns take from a line. The line has more, which `record_json` keeps.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    episode: i64,
    step: i32,
    t_s: i64,
    agent_id: String,
    action_type: String,
    status: String,
    blocked_reason_code: Option<String>,
    event_id: Option<String>,
    specimen_ids: Vec<String>,
    emits: Vec<String>,
    violations: Vec<Checked>,
    enforcements: Vec<Enforced>,
    token_consumed: Vec<String>,
    rbac_decision: Option<RbacDecision>,
    signature_verification: Option<SignatureVerification>,
    hashchain: HashChain,
    prev_hash: String,
    chain_hash: Option<String>,
    event: Event,
    /// As the line has them.
    #[serde(skip)]
    args: Vec<u8>,
}

#[derive(Debug, Deserialize)]
struct Checked {
    invariant_id: String,
    status: InvariantStatus,
}

#[derive(Debug, Deserialize)]
struct Enforced {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Deserialize)]
struct Event {
    reason_code: Option<String>,
    #[serde(default)]
    token_refs: Vec<String>,
    key_id: Option<String>,
}

impl Row {
    /// Reads a line; what is wrong with it otherwise.
    pub(super) fn of(line: &[u8]) -> Result<Self, String> {
        let mut row: Self = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        row.args = member(line, "args").unwrap_or(b"{}").to_vec();
        Ok(row)
    }
}

/// A group of rows that is being filled, a field a column.
#[derive(Default)]
pub(super) struct Rows {
    /// Lines before this group [count].
    before: i64,
    /// Of the lines in this group [bytes].
    line_bytes: usize,
    line: Always<Int64Type>,
    task: Always<ByteArrayType>,
    episode: Always<Int64Type>,
    seed: Always<Int64Type>,
    step: Always<Int32Type>,
    t_s: Always<Int64Type>,
    agent_id: Always<ByteArrayType>,
    role_id: SometimesText,
    action_type: Always<ByteArrayType>,
    status: Always<ByteArrayType>,
    blocked_reason_code: SometimesText,
    given_reason_code: SometimesText,
    event_id: SometimesText,
    args_json: Always<ByteArrayType>,
    specimen_ids: Texts,
    emits: Texts,
    violations: Texts,
    invariants_held: Always<Int32Type>,
    enforcements: Texts,
    token_refs: Texts,
    token_consumed: Texts,
    key_id: SometimesText,
    signature_passed: SometimesFlag,
    chain_length: Always<Int64Type>,
    prev_hash: Always<ByteArrayType>,
    chain_hash: SometimesText,
    record_json: Always<ByteArrayType>,
}

impl Rows {
    /// Rows of the group [count].
    pub(super) fn len(&self) -> usize {
        self.line.len()
    }

    /// Lines of the group [bytes].
    pub(super) fn line_bytes(&self) -> usize {
        self.line_bytes
    }

    pub(super) fn push(&mut self, task: &str, seed: u64, row: Row, line: &[u8]) {
        let maybe = |value: Option<String>| value.map(text);
        let checked = row.violations.len();
        let broken = row.violations.into_iter().filter(|checked| checked.status == InvariantStatus::Violation);
        let broken: Vec<String> = broken.map(|checked| checked.invariant_id).collect();

        self.line.push(self.before + self.line.len() as i64 + 1);
        self.task.push(text(task));
        self.episode.push(row.episode);
        // The same 64 bits: the column says that they have no sign.
        self.seed.push(seed.cast_signed());
        self.step.push(row.step);
        self.t_s.push(row.t_s);
        self.agent_id.push(text(row.agent_id));
        self.role_id.push(maybe(row.rbac_decision.and_then(|decision| decision.role_id)));
        self.action_type.push(text(row.action_type));
        self.status.push(text(row.status));
        self.blocked_reason_code.push(maybe(row.blocked_reason_code));
        self.given_reason_code.push(maybe(row.event.reason_code));
        self.event_id.push(maybe(row.event_id));
        self.args_json.push(ByteArray::from(row.args));
        self.specimen_ids.push(row.specimen_ids);
        self.emits.push(row.emits);
        self.invariants_held.push(i32::try_from(checked - broken.len()).unwrap_or(i32::MAX));
        self.violations.push(broken);
        self.enforcements.push(row.enforcements.into_iter().map(|enforced| enforced.kind).collect());
        self.token_refs.push(row.event.token_refs);
        self.token_consumed.push(row.token_consumed);
        self.key_id.push(maybe(row.event.key_id));
        self.signature_passed.push(row.signature_verification.map(|verification| verification.passed));
        self.chain_length.push(row.hashchain.length.cast_signed());
        self.prev_hash.push(text(row.prev_hash));
        self.chain_hash.push(maybe(row.chain_hash));
        self.record_json.push(text(line));
        self.line_bytes += line.len();
    }

    /// The columns in the order of the schema.
    fn columns(&mut self) -> [&mut dyn Column; 27] {
        [
            &mut self.line,
            &mut self.task,
            &mut self.episode,
            &mut self.seed,
            &mut self.step,
            &mut self.t_s,
            &mut self.agent_id,
            &mut self.role_id,
            &mut self.action_type,
            &mut self.status,
            &mut self.blocked_reason_code,
            &mut self.given_reason_code,
            &mut self.event_id,
            &mut self.args_json,
            &mut self.specimen_ids,
            &mut self.emits,
            &mut self.violations,
            &mut self.invariants_held,
            &mut self.enforcements,
            &mut self.token_refs,
            &mut self.token_consumed,
            &mut self.key_id,
            &mut self.signature_passed,
            &mut self.chain_length,
            &mut self.prev_hash,
            &mut self.chain_hash,
            &mut self.record_json,
        ]
    }

    /// Writes the rows as a group and is empty afterwards.
    pub(super) fn write_group<W: Write + Send>(
        &mut self,
        writer: &mut SerializedFileWriter<W>,
    ) -> Result<(), ParquetError> {
        let rows = self.len();
        let mut group = writer.next_row_group()?;
        for column in self.columns() {
            let mut writer = group.next_column()?.expect("the schema has the columns of a row");
            column.drain_into(&mut writer)?;
            writer.close()?;
        }
        group.close()?;
        self.before += rows as i64;
        self.line_bytes = 0;
        Ok(())
    }
}
