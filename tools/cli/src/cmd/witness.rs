//! `witness`: a second party that signs a log only as long as it goes on.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_evidence::disk::RealDisk;
use labtrust_evidence::export::CHECKPOINT;
use labtrust_evidence::keyfile::{read_signer, read_verifiers};
use labtrust_evidence::witness::Witness;
use std::path::PathBuf;
use std::time::SystemTime;

/// Look at a signed bundle as a witness does, and add a signature to its checkpoint
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The bundle, a directory
    #[arg(long, value_name = "DIR")]
    bundle: PathBuf,
    /// Private key of the witness (`labtrust keys new --witness`)
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// File of public keys of logs that the witness knows
    #[arg(long, value_name = "FILE", required = true)]
    trust: Vec<PathBuf>,
    /// Directory in which the witness keeps what it has signed
    #[arg(long, value_name = "DIR")]
    seen: PathBuf,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Options {
    const SPEC: Spec = Spec {
        name: "witness",
        notes: "A witness signs when the bundle holds, is signed with a key that it knows, and its log goes on from the newest one of the \
                same origin that it signed before: nobody can show two people two logs without one of them seeing no signature. The \
                signature is a [C2SP cosignature](https://c2sp.org/tlog-cosignature) with the time of this machine; \
                `verify-bundle --witness` asks for it. Steps are not played again here.",
        writes: &[
            output("--bundle/proof/checkpoint", "the checkpoint with one signature more"),
            output("--seen/", "the newest checkpoint of every log, written before the signature is given away"),
        ],
        done: "the checkpoint is signed",
        fails: "the bundle does not hold, or its log is not one that goes on from what was seen",
        json: Json::product(&[
            ("origin", "of which log"),
            ("size", "its length [count]"),
            ("size_before", "its length when it was seen last, or null [count]"),
            ("witness", "name of the key"),
        ]),
        examples: &[Example::new(
            "--bundle signed/EvidenceBundle.v0.1 --key witness.key --trust evidence.key.pub --seen seen",
        )
        .needs(&["signed", "witness.key", "evidence.key.pub"])
        .leaves(&["seen"])],
        refusals: &[Refusal::new("--bundle nowhere --key nowhere.key --trust nowhere.pub --seen seen", 1, "nowhere")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        if !self.bundle.is_dir() {
            return Err(CliError::NoBundle { path: self.bundle.clone() });
        }
        let (key, trust) = (read_signer(&self.key)?, read_verifiers(&self.trust)?);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let witnessed = Witness { key: &key, trust: &trust, seen: &self.seen }.sign(&RealDisk, &self.bundle, now)?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&self.bundle.join(CHECKPOINT));
        answer.figure("origin", witnessed.checkpoint.origin.as_str());
        answer.figure("size", witnessed.checkpoint.size);
        answer.figure("size_before", witnessed.before);
        answer.figure("witness", key.name());
        answer.finish::<Self>(true, &format!("{}: {} lines\n", witnessed.checkpoint.origin, witnessed.checkpoint.size))
    }
}
