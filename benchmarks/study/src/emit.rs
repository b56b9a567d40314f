//! Scripts for schedulers of clusters: `sbatch --array` and Kubernetes Indexed Jobs.
//!
//! The scripts know what the exit code of a cell means: 0 it is there, 75 try again, anything else do not. What is done is never done
//! again, so that a whole array may be handed in once more.

use crate::plan::Plan;
use serde_json::Value;

/// Most tasks that a Slurm array has where the site has not said otherwise (`MaxArraySize` is 1001).
const SLURM_ARRAY: usize = 1000;
/// Times that a cell is tried again [count].
const RETRIES: u32 = 5;

/// How a study is handed to a scheduler. Paths are those of the cluster.
#[derive(Clone, Debug)]
pub struct Emission<'a> {
    /// The plan's file.
    pub plan_path: &'a str,
    /// Where the cells go.
    pub cells_path: &'a str,
    /// Cells of one task [count]; chosen by the number of cells when absent.
    pub per_task: Option<usize>,
    /// Most tasks at once [count].
    pub at_once: usize,
    /// What runs the program: a container image on Kubernetes.
    pub image: &'a str,
    /// The claim of the volume that plan and cells are on, on Kubernetes.
    pub claim: &'a str,
}

impl Emission<'_> {
    fn tasks(&self, plan: &Plan) -> (usize, usize) {
        let cells = plan.cells.len();
        let per_task = self.per_task.unwrap_or(cells.div_ceil(SLURM_ARRAY)).max(1);
        (cells.div_ceil(per_task), per_task)
    }
}

/// A name for people and schedulers: small letters, digits and dashes, at most 50.
fn job_name(plan: &Plan) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let name: String = plan.head.study_id.chars().map(plain).take(40).collect();
    format!("labtrust-{}", name.trim_matches('-')).trim_end_matches('-').to_owned()
}

/// A word of a shell, whatever is in it.
fn shell(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// A text of YAML, whatever is in it.
fn yaml(text: &str) -> String {
    Value::from(text).to_string()
}

/// A comment says nothing but what it says.
fn comment(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A script for `sbatch`.
#[must_use]
pub fn slurm(plan: &Plan, how: &Emission<'_>) -> String {
    let (tasks, per_task) = how.tasks(plan);
    let (last, at_once) = (tasks.saturating_sub(1), how.at_once);
    let (name, study) = (job_name(plan), comment(&plan.head.study_id));
    let (plan_path, cells_path) = (shell(how.plan_path), shell(how.cells_path));
    let merge = comment(&format!("labtrust study merge {plan_path} --cells {cells_path} --out OUT"));
    format!(
        "#!/bin/bash
# The {cells} cells of the study {study}, {per_task} a task. Hand it in with: sbatch THIS_FILE
# Afterwards: {merge}
#SBATCH --job-name={name}
#SBATCH --array=0-{last}%{at_once}
#SBATCH --cpus-per-task=1
#SBATCH --mem=1G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output={name}-%A_%a.log
set -u

labtrust study cell {plan_path} --index \"$((SLURM_ARRAY_TASK_ID * {per_task}))\" --count {per_task} --out {cells_path}
code=$?

# 75: no room, or a file server that did not answer. Everything else that is not 0 would be the same again.
if [ \"$code\" -eq 75 ] && [ \"${{SLURM_RESTART_COUNT:-0}}\" -lt {RETRIES} ]; then
  exec scontrol requeue \"${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}\"
fi
exit \"$code\"
",
        cells = plan.cells.len(),
    )
}

/// A manifest of a Kubernetes Indexed Job (`kubectl apply -f`). Needs Kubernetes 1.33, or 1.29 with `JobBackoffLimitPerIndex`.
#[must_use]
pub fn k8s(plan: &Plan, how: &Emission<'_>) -> String {
    let (tasks, per_task) = how.tasks(plan);
    let study = comment(&plan.head.study_id);
    let call = format!(
        "exec labtrust study cell {} --index \"$((JOB_COMPLETION_INDEX * {per_task}))\" --count {per_task} --out {}",
        shell(how.plan_path),
        shell(how.cells_path),
    );
    format!(
        "# The {cells} cells of the study {study}, {per_task} an index. Plan and cells are on the volume, which every pod may write.
# Afterwards: labtrust study merge PLAN --cells CELLS --out OUT
apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
spec:
  completionMode: Indexed
  completions: {tasks}
  parallelism: {parallelism}
  # A killed pod and exit code 75 are tried again; what fails does not take the others with it.
  backoffLimitPerIndex: {RETRIES}
  maxFailedIndexes: {tasks}
  podFailurePolicy:
    rules:
      # 1 and 2: a cell that fails, or a call that is wrong. It would be the same again.
      - action: FailIndex
        onExitCodes:
          containerName: cell
          operator: In
          values: [1, 2]
      # A node that is drained is no failure of the cell.
      - action: Ignore
        onPodConditions:
          - type: DisruptionTarget
            status: \"True\"
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: cell
          image: {image}
          command: [/bin/sh, -c, {call}]
          resources:
            requests: {{ cpu: \"1\", memory: 1Gi }}
            limits: {{ memory: 1Gi }}
          securityContext:
            allowPrivilegeEscalation: false
            capabilities: {{ drop: [ALL] }}
          volumeMounts:
            - name: study
              mountPath: /study
      volumes:
        - name: study
          persistentVolumeClaim:
            claimName: {claim}
",
        cells = plan.cells.len(),
        name = job_name(plan),
        parallelism = how.at_once.min(tasks.max(1)),
        image = yaml(how.image),
        call = yaml(&call),
        claim = yaml(how.claim),
    )
}
