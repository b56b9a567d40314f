//! A clean task folder: what the agent gets, and nothing else.

use crate::benchmark::Benchmark;
use crate::error::ProtocolError;
use std::path::Path;

/// What became of it.
#[derive(Debug, PartialEq, Eq)]
pub struct TaskFolder {
    /// Files that were laid out, by their path in the folder.
    pub files: Vec<String>,
    /// Files that stand among the task's and were held back.
    pub held_back: Vec<String>,
}

/// Lays out a task folder. It appears whole or not at all.
///
/// # Errors
/// [`ProtocolError::Input`] when `out` exists and is not an empty directory; [`ProtocolError::Content`] when the
/// benchmark's conditions cannot be read; [`ProtocolError::Write`].
pub fn lay_out(benchmark: &Benchmark, out: &Path, with_scoring: bool) -> Result<TaskFolder, ProtocolError> {
    // A task whose conditions nobody can read is not laid out.
    benchmark.constraints()?;
    let task = benchmark.task_files(with_scoring);
    let files: Vec<(&str, &[u8])> = task.files.iter().map(|(path, bytes)| (path.as_str(), *bytes)).collect();
    whole_directory(out, &files, false)?;
    Ok(TaskFolder { files: task.files.into_keys().collect(), held_back: task.held_back })
}

/// Writes a directory under a temporary name beside it and gives it its name at the end. A directory that is there and
/// not empty is left alone, or with `replace` taken away first.
///
/// # Errors
/// [`ProtocolError::Input`] when there is something at `out` already; [`ProtocolError::Write`].
pub fn whole_directory(out: &Path, files: &[(&str, &[u8])], replace: bool) -> Result<(), ProtocolError> {
    let cannot = |source| labtrust_bench::BenchError::Write { path: out.to_path_buf(), source };
    let Some(name) = out.file_name() else {
        return Err(cannot(std::io::Error::other("the path names no directory")).into());
    };
    let is_there = out.symlink_metadata().is_ok();
    let is_empty = std::fs::read_dir(out).is_ok_and(|mut entries| entries.next().is_none());
    if is_there && !is_empty && !replace {
        let problem = format!("{} exists already", out.display());
        return Err(ProtocolError::input(problem, "name a directory that is not there, or an empty one"));
    }
    labtrust_bench::files::make_parent(out)?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.partial", std::process::id()));
    let temporary = Partial(out.with_file_name(temporary));
    let _ = std::fs::remove_dir_all(&temporary.0);
    for (path, bytes) in files {
        let path = temporary.0.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(cannot)?;
        }
        std::fs::write(&path, bytes).map_err(cannot)?;
    }
    // What was there goes only when the new one has its name.
    let former = Partial(temporary.0.with_extension("former"));
    if is_empty {
        std::fs::remove_dir(out).map_err(cannot)?;
    } else if is_there {
        let _ = std::fs::remove_dir_all(&former.0);
        std::fs::rename(out, &former.0).map_err(cannot)?;
    }
    if let Err(source) = std::fs::rename(&temporary.0, out) {
        let _ = std::fs::rename(&former.0, out);
        return Err(cannot(source).into());
    }
    Ok(())
}

/// A directory that goes when it has not got its name.
struct Partial(std::path::PathBuf);

impl Drop for Partial {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmark::BUILT_IN;
    use std::collections::BTreeSet;

    fn files_below(dir: &Path) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut dirs = vec![dir.to_path_buf()];
        while let Some(next) = dirs.pop() {
            for entry in std::fs::read_dir(next).unwrap().flatten() {
                if entry.path().is_dir() {
                    dirs.push(entry.path());
                } else {
                    found.insert(entry.path().strip_prefix(dir).unwrap().to_string_lossy().replace('\\', "/"));
                }
            }
        }
        found
    }

    fn put(dir: &Path, path: &str, text: &str) {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    const MANIFEST: &str = "benchmark_id: b\nversion: '1'\ntitle: t\ntask: [prompt.md, data]\nrubric: [SCORING_GUIDE.md]\nprivate: [data/answers.csv]\n";

    fn folder(manifest: &str) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "benchmark.yaml", manifest);
        for path in [
            "prompt.md",
            "data/edges.csv",
            "data/answers.csv",
            "data/private/truth.csv",
            "data/expected_behaviour.md",
            "data/Scoring_Rules.yaml",
            "data/SCORING_GUIDE.md",
            "SCORING_GUIDE.md",
            "scoring_rules.yaml",
            "private/notes.md",
            "templates/reviewer_form.md",
            "solutions/other/README.md",
        ] {
            put(dir.path(), path, path);
        }
        dir
    }

    #[test]
    fn the_built_in_task_is_complete_and_has_nothing_private() {
        let dir = tempfile::tempdir().unwrap();
        let benchmark = Benchmark::built_in(BUILT_IN[0]).unwrap();
        assert_eq!(benchmark.id(), BUILT_IN[0]);
        let out = dir.path().join("deep/task");
        lay_out(&benchmark, &out, false).unwrap();
        let found = files_below(&out);
        insta::assert_snapshot!(found.iter().map(|path| format!("{path}\n")).collect::<String>());
        let shown = dir.path().join("shown");
        lay_out(&benchmark, &shown, true).unwrap();
        let more: Vec<_> = files_below(&shown).difference(&found).cloned().collect();
        assert_eq!(more, ["SCORING_GUIDE.md"]);
        assert_eq!(std::fs::read_dir(dir.path().join("deep")).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn the_built_in_task_is_the_folder_of_the_repository() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../001_synthetic_mine_throughput");
        let (built_in, on_disk) = (Benchmark::built_in(BUILT_IN[0]).unwrap(), Benchmark::open(&dir).unwrap());
        for with_scoring in [false, true] {
            assert_eq!(built_in.task_files(with_scoring), on_disk.task_files(with_scoring));
        }
    }

    #[test]
    fn the_prompt_prints_the_conditions_and_names_what_is_judged() {
        let benchmark = Benchmark::built_in(BUILT_IN[0]).unwrap();
        let task = benchmark.task_files(false);
        let text = |path: &str| String::from_utf8(task.files[path].to_vec()).unwrap();
        let (prompt, constraints) = (text("prompt.md"), text("constraints.yaml"));
        let block: String =
            constraints.lines().skip_while(|line| line.starts_with('#')).map(|l| format!("{l}\n")).collect();
        assert!(prompt.contains(&format!("```yaml\n{block}```")), "{block}");
        for word in crate::evaluate::REQUIRED_FILES.iter().chain(&crate::evaluate::REQUIRED_SCENARIOS) {
            assert!(prompt.contains(word), "{word}");
        }
        assert_eq!(benchmark.constraints().unwrap().max_wall_clock_minutes, 45.0);
    }

    #[test]
    fn what_is_private_is_never_copied_whatever_it_stands_among() {
        let dir = folder(MANIFEST);
        let benchmark = Benchmark::open(dir.path()).unwrap();
        let out = tempfile::tempdir().unwrap();
        let task = lay_out(&benchmark, &out.path().join("plain"), false).unwrap();
        assert_eq!(task.files, ["constraints.yaml", "data/edges.csv", "prompt.md"]);
        assert_eq!(files_below(&out.path().join("plain")).into_iter().collect::<Vec<_>>(), task.files);
        assert_eq!(
            task.held_back,
            [
                "data/SCORING_GUIDE.md",
                "data/Scoring_Rules.yaml",
                "data/answers.csv",
                "data/expected_behaviour.md",
                "data/private/truth.csv"
            ]
        );
        let task = lay_out(&benchmark, &out.path().join("shown"), true).unwrap();
        assert_eq!(task.files, ["SCORING_GUIDE.md", "constraints.yaml", "data/edges.csv", "prompt.md"]);
    }

    #[test]
    fn a_manifest_that_hands_out_what_is_private_or_outside_is_refused() {
        for (task, rubric, says) in [
            ("[prompt.md, scoring_rules.yaml]", "[]", "\"scoring_rules.yaml\" is private"),
            ("[prompt.md, private]", "[]", "\"private\" is private"),
            ("[prompt.md, SCORING_GUIDE.md]", "[]", "\"SCORING_GUIDE.md\" is private"),
            ("[prompt.md, data/answers.csv]", "[]", "\"data/answers.csv\" is private"),
            ("[prompt.md]", "[templates/reviewer_form.md]", "\"templates/reviewer_form.md\" is private"),
            ("[../prompt.md]", "[]", "no path inside"),
            ("[/etc/passwd]", "[]", "no path inside"),
            ("[prompt.md, nothing.md]", "[]", "not there"),
        ] {
            let manifest = format!(
                "benchmark_id: b\nversion: '1'\ntitle: t\ntask: {task}\nrubric: {rubric}\nprivate: [data/answers.csv]\n"
            );
            let error = Benchmark::open(folder(&manifest).path()).unwrap_err().to_string();
            assert!(error.contains(says), "{task}: {error}");
        }
        assert!(Benchmark::open(folder("task: 3").path()).is_err());
        assert!(Benchmark::built_in("002").unwrap_err().hint().unwrap().contains(BUILT_IN[0]));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_the_task_is_refused() {
        let dir = folder(MANIFEST);
        std::os::unix::fs::symlink("../private/notes.md", dir.path().join("data/notes.md")).unwrap();
        let error = Benchmark::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains("notes.md: is a link"), "{error}");
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "task/mine.txt", "x");
        let benchmark = Benchmark::built_in(BUILT_IN[0]).unwrap();
        let out = dir.path().join("task");
        assert!(lay_out(&benchmark, &out, false).unwrap_err().to_string().contains("exists already"));
        assert_eq!(files_below(dir.path()).len(), 1);
        std::fs::remove_file(out.join("mine.txt")).unwrap();
        lay_out(&benchmark, &out, false).unwrap();
        assert!(out.join("prompt.md").is_file());
    }

    #[test]
    fn a_folder_without_a_manifest_has_the_usual_files() {
        let dir = folder(MANIFEST);
        std::fs::remove_file(dir.path().join("benchmark.yaml")).unwrap();
        put(dir.path(), "data/answers.csv", "seen: nothing says otherwise");
        let benchmark = Benchmark::open(dir.path()).unwrap();
        let task = benchmark.task_files(false);
        assert_eq!(
            task.files.keys().collect::<Vec<_>>(),
            ["constraints.yaml", "data/answers.csv", "data/edges.csv", "prompt.md"]
        );
        assert!(Benchmark::open(&dir.path().join("data")).is_err());
    }
}
