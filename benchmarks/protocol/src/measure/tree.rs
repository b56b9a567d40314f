//! Ending a command and everything that it started.
//!
//! A command is the leader of a process group of its own; a signal to the group reaches its children, and theirs, as
//! long as they stay in it. On Linux more is covered: this process declares itself the one that orphans go to
//! (`PR_SET_CHILD_SUBREAPER`), so that whatever descends from the command still descends from this process when its
//! parent has gone, and the process table is searched for descendants until there are none. That finds children
//! in the background, daemons that forked twice, and those that made a session or a group of their own (`setsid`, a
//! shell with job control). What it does not find: processes that another process started on the command's behalf (a
//! service manager, a container engine, `at`). On other Unix systems the group is ended and what left it is not.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

/// From now on orphans of this process's descendants become its children, where the system can do that.
pub(super) fn adopt_orphans() {
    // Without it the group is still ended.
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_child_subreaper(true);
}

/// Ends the process group of `leader`, and on Linux every descendant of this process. Returns when they are gone, or
/// after some seconds of trying.
pub(super) fn end(leader: u32) {
    if let Ok(leader) = i32::try_from(leader) {
        // No such group: all of it has ended.
        let _ = killpg(Pid::from_raw(leader), Signal::SIGKILL);
    }
    #[cfg(target_os = "linux")]
    linux::end_descendants(leader);
}

#[cfg(target_os = "linux")]
mod linux {
    use nix::sys::signal::{Signal, kill};
    use nix::sys::wait::{WaitPidFlag, waitpid};
    use nix::unistd::Pid;
    use std::collections::BTreeMap;
    use std::time::{Duration, Instant};

    /// How long is tried: a process in an uninterruptible wait does not end, and must not keep us for ever.
    const PATIENCE: Duration = Duration::from_secs(10);

    pub(super) fn end_descendants(leader: u32) {
        let us = std::process::id().cast_signed();
        let leader = leader.cast_signed();
        let begun = Instant::now();
        // One that forks between a look and a signal is found by the next look.
        while begun.elapsed() < PATIENCE {
            let found = descendants(us);
            let mut alive = 0;
            for process in &found {
                if process.zombie {
                    // An orphan that is ours now is ours to bury; the leader is left to whoever waits for it.
                    if process.parent == us && process.pid != leader {
                        let _ = waitpid(Pid::from_raw(process.pid), Some(WaitPidFlag::WNOHANG));
                    }
                } else {
                    alive += 1;
                    let _ = kill(Pid::from_raw(process.pid), Signal::SIGKILL);
                }
            }
            if alive == 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[derive(Debug, Clone, Copy)]
    struct Process {
        pid: i32,
        parent: i32,
        zombie: bool,
    }

    /// Every process below `root`, without it.
    fn descendants(root: i32) -> Vec<Process> {
        let mut children: BTreeMap<i32, Vec<Process>> = BTreeMap::new();
        let Ok(table) = std::fs::read_dir("/proc") else {
            return Vec::new();
        };
        for entry in table.flatten() {
            let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // It may have ended since the directory was read.
            let Ok(stat) = std::fs::read(entry.path().join("stat")) else {
                continue;
            };
            if let Some((zombie, parent)) = state_and_parent(&stat) {
                children.entry(parent).or_default().push(Process { pid, parent, zombie });
            }
        }
        let mut found = Vec::new();
        let mut roots = vec![root];
        while let Some(root) = roots.pop() {
            for process in children.remove(&root).unwrap_or_default() {
                roots.push(process.pid);
                found.push(process);
            }
        }
        found
    }

    /// Reads `pid (name) state parent ..`; the name may have spaces and brackets in it.
    fn state_and_parent(stat: &[u8]) -> Option<(bool, i32)> {
        let after_name = stat.iter().rposition(|byte| *byte == b')')? + 1;
        let mut fields = std::str::from_utf8(&stat[after_name..]).ok()?.split_ascii_whitespace();
        let state = fields.next()?;
        Some((matches!(state, "Z" | "X"), fields.next()?.parse().ok()?))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_name_may_look_like_the_rest_of_the_line() {
            assert_eq!(state_and_parent(b"12 (a) S 1 (b c) R 7 12 12 0"), Some((false, 7)));
            assert_eq!(state_and_parent(b"12 (x) Z 3 1"), Some((true, 3)));
            assert_eq!(state_and_parent(b"12 (x"), None);
        }
    }
}
