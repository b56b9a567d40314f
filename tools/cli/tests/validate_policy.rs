//! `validate-policy` and `schema` from outside.

use std::path::Path;
use std::process::Command;

/// Runs the program; exit code, stdout, stderr.
fn labtrust(arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_labtrust"))
        .args(arguments)
        .env_remove("LABTRUST_POLICY_DIR")
        .env_remove("LABTRUST_PARTNER")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// A copy of the shipped policy with one text of one file replaced.
fn spoiled(file: &str, old: &str, new: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policy");
    copy(&shipped, dir.path());
    let text = std::fs::read_to_string(dir.path().join(file)).unwrap();
    assert!(text.contains(old), "{file} has no {old}");
    std::fs::write(dir.path().join(file), text.replacen(old, new, 1)).unwrap();
    dir
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, target) = entry.map(|entry| (entry.path(), to.join(entry.file_name()))).unwrap();
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn the_shipped_policy_has_no_findings_with_and_without_a_partner() {
    for arguments in [&["validate-policy"][..], &["validate-policy", "--partner", "hsl_like"]] {
        assert_eq!(labtrust(arguments), (0, String::new(), "no findings\n".to_owned()));
    }
}

#[test]
fn a_mistake_that_loading_sees_too_is_told_once() {
    for (file, old, new) in [
        ("rbac/rbac_policy.v0.1.yaml", "        - CREATE_ACCESSION", "        - CREATE_ACESSION"),
        ("zones/zone_layout_policy.v0.1.yaml", "via_door: D_WASTE }", "via_door: D_WAIST }"),
        ("tokens/dual_approval_policy.v0.1.yaml", "TOKEN_EMERGENCY_ACCESS, TOKEN_CHAIN", "TOKEN_X, TOKEN_CHAIN"),
    ] {
        let dir = spoiled(file, old, new);
        let (code, stdout, _) = labtrust(&["validate-policy", "--policy-dir", dir.path().to_str().unwrap()]);
        assert_eq!((code, stdout.lines().count()), (1, 1), "{stdout}");
        assert!(stdout.starts_with(&format!("{file}:")), "{stdout}");
    }
}

#[test]
fn a_mistake_that_only_loading_sees_is_told_with_its_place() {
    let file = "equipment/failure_models.v0.1.yaml";
    let dir = spoiled(file, "start_ts_s: 100, end_ts_s: 400", "start_ts_s: 900, end_ts_s: 400");
    let path = dir.path().to_str().unwrap();
    let (code, stdout, stderr) = labtrust(&["validate-policy", "--policy-dir", path, "--format", "json"]);
    assert_eq!(code, 1, "{stderr}");
    let answer: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    let findings = answer["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{stdout}");
    assert_eq!((&findings[0]["code"], &findings[0]["file"]), (&"load".into(), &file.into()));
    assert!(findings[0]["line"].as_u64().unwrap() > 0);
}

#[test]
fn an_unknown_partner_or_domain_is_no_finding_but_a_refusal() {
    let (code, stdout, stderr) = labtrust(&["validate-policy", "--partner", "hsl_lik"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("hsl_like"), "{stderr}");
    let (code, stdout, _) = labtrust(&["validate-policy", "--domain", "nowhere"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert_eq!(labtrust(&["validate-policy", "--fromat", "json"]).0, 2);
}

#[test]
fn a_schema_is_printed_as_it_is_embedded_and_a_misspelt_name_has_a_neighbour() {
    let (code, list, _) = labtrust(&["schema"]);
    assert_eq!(code, 0);
    assert!(list.lines().any(|name| name == "rbac_policy.v0.1"), "{list}");
    for name in list.lines() {
        let (code, schema, _) = labtrust(&["schema", name]);
        assert!(code == 0 && serde_json::from_str::<serde_json::Value>(&schema).is_ok(), "{name}");
    }
    let (code, stdout, stderr) = labtrust(&["schema", "rbac_polcy.v0.1"]);
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(stderr.contains("did you mean `rbac_policy.v0.1`?"), "{stderr}");
}
