//! `train-ppo`, with an interpreter that only says that it has trained: what is started, and what is said where nothing comes of it.
//! Training itself is tested in the Python package.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A script in the place of Python; what it was started with is in `python.arguments`.
fn python(dir: &Path, trains: &str) {
    let path = dir.join("python");
    let script =
        format!("#!/bin/sh\ncase \"$*\" in *--help*) exit 0;; esac\necho \"$@\" >\"$0.arguments\"\n{trains}\n");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn train(dir: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_labtrust"));
    let command = command.arg("train-ppo").args(more).env("LABTRUST_PYTHON", dir.join("python")).current_dir(dir);
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Leaves what a training leaves.
fn good() -> String {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../python/tests/learned/policy.bin");
    let metrics = r#"{"mean_reward": 1.255, "episode_rewards": [1.255], "n_episodes": 1, "seed": 7}"#;
    format!(
        "mkdir -p model && cp '{}' model/policy.bin && echo '{metrics}' >model/eval_metrics.json\necho '{{}}' >model/train.json\necho '{{}}' >model/train_config.json",
        policy.display()
    )
}

#[test]
fn what_was_asked_for_is_handed_on_and_the_reward_is_told() {
    let dir = TempDir::new().unwrap();
    python(dir.path(), &good());
    let asked = [
        ["--task", "stat_insertion"],
        ["--timing", "simulated"],
        ["--timesteps", "900"],
        ["--seed", "5"],
        ["--net-arch", "[16, 8]"],
        ["--checkpoint-every", "300"],
        ["--keep-best", "2"],
        ["--obs-history-len", "3"],
        ["--learning-rate", "0.002"],
        ["--n-steps", "40"],
        ["--train-config", "config.json"],
        ["--out", "model"],
    ];
    let output = train(dir.path(), &asked.concat());
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Mean reward: 1.25\n");
    let started = std::fs::read_to_string(dir.path().join("python.arguments")).unwrap();
    for [name, value] in asked {
        let value = if name == "--net-arch" { "16, 8" } else { value };
        assert!(started.contains(&format!(" {name} {value}")), "{name}: {started}");
    }
    assert!(started.starts_with("-m labtrust.ppo train "), "{started}");
    assert!(said(&output).contains("Wrote model/policy.bin"), "{}", said(&output));
}

#[test]
fn where_nothing_comes_of_it_one_sentence_says_why_and_another_what_to_do() {
    let dir = TempDir::new().unwrap();
    let refused = |says: &[&str]| {
        let output = train(dir.path(), &["--out", "model"]);
        assert_eq!(output.status.code(), Some(1), "{}", said(&output));
        for word in says {
            assert!(said(&output).contains(word), "{word}: {}", said(&output));
        }
    };
    refused(&["cannot start", "hint: name an interpreter with LABTRUST_PYTHON"]);
    python(dir.path(), "exit 3");
    refused(&["the training broke off", "3"]);
    python(dir.path(), "true");
    refused(&["cannot read model/policy.bin"]);
    python(dir.path(), &format!("{}\necho '{{}}' >model/eval_metrics.json", good()));
    refused(&["model/eval_metrics.json: it has no mean_reward"]);
    python(dir.path(), &format!("{}\necho no policy >model/policy.bin", good()));
    refused(&["model/policy.bin: line 1, column"]);
    std::fs::write(dir.path().join("python"), "#!/bin/sh\necho no module of that name >&2\nexit 1\n").unwrap();
    refused(&["has no package labtrust", "no module of that name", "pip install labtrust"]);
}
