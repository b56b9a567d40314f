//! The templates of `plugins new`: they are compiled and run here, and what is made of them has the author's names.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on stops here")]
#![allow(clippy::duplicate_mod, reason = "two templates have one list of work")]

use std::path::Path;
use std::process::Command;

/// The template of a coordination method, as it lies in the repository. Its own tests run with these.
#[path = "../templates/coordination-method/lib.rs"]
#[allow(missing_docs, unreachable_pub, reason = "it is written as a crate of its own")]
mod coordination_method;

/// That of an agent policy, which has a link to the other's list of work.
#[path = "../templates/agent-policy/lib.rs"]
#[allow(missing_docs, unreachable_pub, reason = "it is written as a crate of its own")]
mod agent_policy;

/// That of a dispatch policy.
#[path = "../templates/mine-dispatch/lib.rs"]
#[allow(missing_docs, unreachable_pub, reason = "it is written as a crate of its own")]
mod mine_dispatch;

fn plugins_new(dir: &Path, arguments: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_labtrust"));
    let output = command.args(["plugins", "new"]).args(arguments).current_dir(dir).output().unwrap();
    (output.status.success(), String::from_utf8(output.stderr).unwrap())
}

fn made(arguments: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let (done, said) = plugins_new(dir.path(), arguments);
    assert!(done, "{said}");
    dir
}

fn files_below(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(next) = dirs.pop() {
        for entry in std::fs::read_dir(next).unwrap().flatten() {
            match entry.path() {
                path if path.is_dir() => dirs.push(path),
                path => found.push(path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned()),
            }
        }
    }
    found.sort();
    found
}

/// What cargo reads in a manifest.
fn manifest(dir: &Path) -> serde_json::Value {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(dir)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"][0].clone()
}

#[test]
fn a_crate_has_its_authors_names_and_none_of_the_templates() {
    let kinds = [
        ("coordination-method", "register_method!", "--coord-method"),
        ("agent-policy", "register_agent!", "--agents"),
        ("mine-dispatch", "register_dispatch!", "--dispatch"),
    ];
    for (carrier, (kind, register, named_by)) in
        ["compiled-in", "native", "wasm"].into_iter().flat_map(|carrier| kinds.map(|kind| (carrier, kind)))
    {
        let dir = made(&["earliest_due", "--carrier", carrier, "--kind", kind]);
        let dir = dir.path().join("earliest_due");
        for file in files_below(&dir) {
            let text = std::fs::read_to_string(dir.join(&file)).unwrap();
            for word in ["first_method", "FirstMethod", "SDK", "CLI"] {
                assert!(!text.contains(word), "{carrier}: {file} has {word}: {text}");
            }
        }
        let source = std::fs::read_to_string(dir.join("src/lib.rs")).unwrap();
        assert!(source.contains("pub struct EarliestDue") && source.contains("\"org.example.earliest_due\""));
        let export = match carrier {
            "compiled-in" => register,
            "native" => "export_native!",
            _ => "export_wasm!",
        };
        assert!(source.contains(&format!("\n{export}(EarliestDue);\n")), "{carrier}: {source}");
        let readme = std::fs::read_to_string(dir.join("README.md")).unwrap();
        assert!(readme.contains(&format!(" {named_by} org.example.earliest_due ")), "{kind}: {readme}");
        let manifest = manifest(&dir);
        assert_eq!((&manifest["name"], &manifest["license"]), (&"earliest_due".into(), &"MIT OR Apache-2.0".into()));
        let dependency =
            |name: &str| manifest["dependencies"].as_array().unwrap().iter().find(|d| d["name"] == name).cloned();
        assert_eq!(dependency("labtrust-plugin").unwrap()["req"], "^0.1");
        assert_eq!(dependency("labtrust").is_some(), carrier == "compiled-in");
    }
}

#[test]
fn a_crate_can_be_built_against_a_checkout_whatever_its_path_is() {
    let dir = tempfile::tempdir().unwrap();
    let checkout = dir.path().join("a \"check\\out\"");
    for (crate_dir, name) in [("plugins/api", "labtrust-plugin"), ("tools/cli", "labtrust")] {
        std::fs::create_dir_all(checkout.join(crate_dir)).unwrap();
        let (done, said) = plugins_new(dir.path(), &["due", "--sdk", checkout.to_str().unwrap()]);
        assert!(!done && said.contains("hint: name the directory that `git clone` made"), "{said}");
        assert!(!dir.path().join("due").exists(), "nothing is half made");
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\n[lib]\npath = \"lib.rs\"\n");
        std::fs::write(checkout.join(crate_dir).join("Cargo.toml"), manifest).unwrap();
    }
    let (done, said) =
        plugins_new(dir.path(), &["due", "--carrier", "compiled-in", "--sdk", checkout.to_str().unwrap()]);
    assert!(done, "{said}");
    let manifest = manifest(&dir.path().join("due"));
    let mut paths: Vec<&str> =
        manifest["dependencies"].as_array().unwrap().iter().map(|d| d["path"].as_str().unwrap()).collect();
    paths.sort_unstable();
    paths.dedup();
    let checkout = checkout.canonicalize().unwrap();
    assert_eq!(
        paths,
        [checkout.join("plugins/api"), checkout.join("tools/cli")].map(|path| path.to_str().unwrap().to_owned())
    );
}

#[test]
fn the_documentation_has_a_section_for_every_kind_and_shows_the_templates_themselves() {
    let page = |path: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/src").join(path);
        std::fs::read_to_string(path).unwrap()
    };
    let kinds = page("reference/plugin_kinds.md");
    let listed = Command::new(env!("CARGO_BIN_EXE_labtrust")).args(["plugins", "list", "--format", "json"]).output();
    let listed: serde_json::Value = serde_json::from_slice(&listed.unwrap().stdout).unwrap();
    for plugin in listed["plugins"].as_array().unwrap() {
        let kind = plugin["kind"].as_str().unwrap();
        assert!(kinds.contains(&format!("\n## {kind}\n")), "plugin_kinds.md has no section {kind}");
    }
    let tutorial = page("tutorial/first_method.md");
    for file in files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/coordination-method")) {
        let include = format!("{{{{#include ../../../tools/cli/templates/coordination-method/{file}}}}}");
        assert!(tutorial.contains(&include), "the tutorial does not show {file}");
    }
}
