//! `keys`: the keys that sign evidence. No command prints a private one.

use crate::Global;
use crate::answer::{Answer, FormatOption};
use crate::command::{CliCommand, Example, Json, Refusal, Spec, output};
use crate::error::CliError;
use crate::talk::Talk;
use labtrust_evidence::disk::RealDisk;
use labtrust_evidence::keyfile::{create, public_path, read_signer, read_verifiers, rotate, rotation_path};
use labtrust_evidence::note::Verifier;
use serde_json::json;
use std::path::PathBuf;

const KEYS: &[(&str, &str)] =
    &[("name", "of the key"), ("id", "of the key, 8 hex digits"), ("public_key", "NAME+ID+KEY")];

/// Make a key: a private file that only its owner can read, and a public one beside it
#[derive(Debug, clap::Args)]
pub(crate) struct New {
    /// Name of the key, such as `lab.example.org/evidence`
    #[arg(long, value_name = "NAME")]
    name: String,
    /// File for the private key; the public key goes to the same name with `.pub`
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// A key of a witness, which signs the checkpoints of others
    #[arg(long)]
    witness: bool,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for New {
    const SPEC: Spec = Spec {
        name: "keys new",
        notes: "Ed25519, in the notation of [signed notes](https://c2sp.org/signed-note).",
        writes: &[output("--out", "the private key, mode 0600"), output("--out.pub", "the public key")],
        done: "the key is there",
        fails: "there is a file of that name: keys are never replaced",
        json: Json::product(KEYS),
        examples: &[
            Example::new("--name lab.example.org/evidence --out evidence.key")
                .leaves(&["evidence.key", "evidence.key.pub"]),
            Example::tried("--name witness.example.org --out witness.key --witness")
                .leaves(&["witness.key", "witness.key.pub"]),
        ],
        refusals: &[
            Refusal::new("--name a --out evidence.key", 1, "never replaced")
                .needs(&["evidence.key", "evidence.key.pub"]),
            Refusal::new("--name 'a b' --out b.key", 1, "white space"),
        ],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        let signer = create(&RealDisk, &self.out, &self.name, self.witness)?;
        let mut answer = Answer::new(self.format, talk);
        answer.wrote(&self.out);
        answer.wrote(&public_path(&self.out));
        tell(&mut answer, &signer.verifier());
        answer.finish::<Self>(true, &format!("{}\n", signer.verifier()))
    }
}

/// Show public keys; of a private key's file, its public half
#[derive(Debug, clap::Args)]
pub(crate) struct Show {
    /// A file of keys, public or private
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Show {
    const SPEC: Spec = Spec {
        name: "keys show",
        done: "the keys are on stdout",
        fails: "a private key can be read by others",
        json: Json::data(&[("keys", "for every key `name`, `id`, `public_key`, `witness`")]),
        examples: &[
            Example::new("evidence.key").needs(&["evidence.key"]),
            Example::tried("evidence.key.pub").needs(&["evidence.key.pub"]),
        ],
        refusals: &[Refusal::new("results.json", 1, "key").needs(&["results.json"])],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, _: Talk) -> Result<(), CliError> {
        let private = std::fs::read(&self.file).is_ok_and(|bytes| bytes.starts_with(b"PRIVATE+KEY+"));
        let keys = match private {
            true => vec![read_signer(&self.file)?.verifier()],
            false => read_verifiers(std::slice::from_ref(&self.file))?,
        };
        let key = |key: &Verifier| json!({ "name": key.name(), "id": key.id(), "public_key": key.to_string(), "witness": key.is_witness() });
        self.format.print::<Self>(
            || keys.iter().map(|key| format!("{key}\n")).collect(),
            || json!({ "keys": keys.iter().map(key).collect::<Vec<_>>() }),
        )
    }
}

/// Make a key that follows another, with a note signed by both that says so
#[derive(Debug, clap::Args)]
pub(crate) struct Rotate {
    /// File of the private key that is followed
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// File for the new private key
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    format: FormatOption,
}

impl CliCommand for Rotate {
    const SPEC: Spec = Spec {
        name: "keys rotate",
        notes: "Whoever trusts the old key can trust the new one: `verify-bundle --trust old.pub --trust new.rotation`.",
        writes: &[
            output("--out", "the new private key, mode 0600"),
            output("--out.pub", "the new public key"),
            output("--out.rotation", "the note, signed with both keys"),
        ],
        done: "the key and the note are there",
        json: Json::product(KEYS),
        examples: &[Example::new("--from evidence.key --out next.key").needs(&["evidence.key"]).leaves(&[
            "next.key",
            "next.key.pub",
            "next.key.rotation",
        ])],
        refusals: &[Refusal::new("--from nowhere.key --out next.key", 1, "nowhere.key")],
        ..Spec::NEW
    };

    fn run(&self, _: &Global, talk: Talk) -> Result<(), CliError> {
        let signer = rotate(&RealDisk, &self.from, &self.out)?;
        let mut answer = Answer::new(self.format, talk);
        for path in [self.out.clone(), public_path(&self.out), rotation_path(&self.out)] {
            answer.wrote(&path);
        }
        tell(&mut answer, &signer.verifier());
        answer.finish::<Self>(true, &format!("{}\n", signer.verifier()))
    }
}

fn tell(answer: &mut Answer, key: &Verifier) {
    answer.figure("name", key.name());
    answer.figure("id", key.id());
    answer.figure("public_key", key.to_string());
}
