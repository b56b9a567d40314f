//! Plugins that are files of their own: which ones a command loads, and what it allows them.
//!
//! They are named by `--plugin`, by `LABTRUST_PLUGIN_PATH`, or by the laboratory profile. All of them are loaded before a
//! command does anything else; one that cannot be is an error.

use crate::Global;
use crate::error::CliError;
use labtrust_plugin::Registry;
use labtrust_plugin_host::isolated::{self, Server};
use labtrust_plugin_host::native::Permission;
use labtrust_plugin_host::wasm::{Limits, Numerics};
use labtrust_plugin_host::{Carrier, LoadError, LoadOptions, OnTrap, RegisterError, load, register};
use labtrust_policy::{LabProfile, PolicyStore, Source};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The words that follow the program's name when it serves an isolated plugin. No command: only this program says them.
pub(crate) const SERVE: [&str; 2] = ["plugins", "serve"];
/// Variable that names plugins: files, and folders whose plugins are all meant.
const PATH_VARIABLE: &str = "LABTRUST_PLUGIN_PATH";

/// Which plugins are loaded, and what they may do.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Plugins that are files of their own")]
pub(crate) struct PluginOptions {
    /// Plugin to load, besides those of LABTRUST_PLUGIN_PATH and of the profile; may be given several times
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) plugin: Vec<PathBuf>,
    /// What happens when a plugin fails at work: `end_episode`, `noop`, or `fallback:ID` (ID decides from then on)
    #[arg(long, global = true, value_name = "HOW", default_value = "end_episode", value_parser = on_trap)]
    on_trap: OnTrap,
    /// Limit of a WebAssembly plugin (fuel_per_decision, fuel_per_create, memory_mib, numerics=floats), of an isolated one
    /// (isolated_call_s, isolated_memory_mib), or of every file (reply_bytes); may be given several times
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = limit)]
    plugin_limit: Vec<LimitGiven>,
    /// Load shared libraries too, which can do whatever this program can; only those with a SHA-256 of the list, if one is
    /// given (separated by commas)
    #[arg(long, global = true, value_name = "SHA256", num_args = 0..=1, require_equals = true, default_missing_value = "", value_parser = permission)]
    allow_native_plugins: Option<Permission>,
    /// Load shared libraries into processes of their own, with limits of memory and time
    #[arg(long, global = true)]
    isolate: bool,
}

/// `any` where no list is given.
fn permission(text: &str) -> Result<Permission, String> {
    match text {
        "" => Ok(Permission::Everything),
        list => Permission::listed(list.split(',')).map_err(|error| error.to_string()),
    }
}

/// A limit as it was given.
#[derive(Debug, Clone)]
struct LimitGiven {
    limit: Limit,
    value: u64,
    text: String,
}

/// A limit that can be set.
#[derive(Debug, Clone, Copy)]
enum Limit {
    FuelPerDecision,
    FuelPerCreate,
    MemoryMib,
    ReplyBytes,
    Numerics,
    IsolatedCallS,
    IsolatedMemoryMib,
}

fn on_trap(text: &str) -> Result<OnTrap, String> {
    match text.split_once(':') {
        None if text == "end_episode" => Ok(OnTrap::EndEpisode),
        None if text == "noop" => Ok(OnTrap::Noop),
        Some(("fallback", id)) if !id.is_empty() => Ok(OnTrap::Fallback(id.to_owned())),
        _ => Err("should be end_episode, noop or fallback:ID".to_owned()),
    }
}

fn limit(text: &str) -> Result<LimitGiven, String> {
    let (limit, value) = limit_and_value(text)?;
    Ok(LimitGiven { limit, value, text: text.to_owned() })
}

fn limit_and_value(text: &str) -> Result<(Limit, u64), String> {
    let (key, value) = text.split_once('=').ok_or("should be KEY=VALUE")?;
    let limit = match key {
        "fuel_per_decision" => Limit::FuelPerDecision,
        "fuel_per_create" => Limit::FuelPerCreate,
        "memory_mib" => Limit::MemoryMib,
        "reply_bytes" => Limit::ReplyBytes,
        "isolated_call_s" => Limit::IsolatedCallS,
        "isolated_memory_mib" => Limit::IsolatedMemoryMib,
        "numerics" => {
            return match value {
                "integer_only" => Ok((Limit::Numerics, 0)),
                "floats" => Ok((Limit::Numerics, 1)),
                _ => Err("numerics is integer_only or floats".to_owned()),
            };
        }
        _ => {
            return Err(format!(
                "{key} is no limit; there are fuel_per_decision, fuel_per_create, memory_mib, reply_bytes, numerics, \
                 isolated_call_s, isolated_memory_mib"
            ));
        }
    };
    let most = match limit {
        Limit::MemoryMib => 4096,
        Limit::IsolatedCallS => 86_400,
        Limit::IsolatedMemoryMib => 1 << 20,
        Limit::ReplyBytes => u64::from(u32::MAX),
        _ => u64::MAX,
    };
    match value.parse() {
        Ok(value) if (1..=most).contains(&value) => Ok((limit, value)),
        _ => Err(format!("{key} is a whole number from 1 to {most}")),
    }
}

impl PluginOptions {
    /// What a command allows.
    ///
    /// # Errors
    /// [`CliError::Child`] when this program cannot be started once more to isolate them.
    pub(crate) fn load_options(&self) -> Result<LoadOptions, CliError> {
        let limits = self.limits();
        let native = self.allow_native_plugins.clone().unwrap_or_default();
        let isolate = self.isolate.then(|| Server::this_program(SERVE)).transpose();
        let mut isolated = isolated::Limits::default();
        for &LimitGiven { limit, value, .. } in &self.plugin_limit {
            match limit {
                Limit::IsolatedCallS => isolated.call = Duration::from_secs(value),
                Limit::IsolatedMemoryMib => isolated.memory_mib = u32::try_from(value).unwrap_or(u32::MAX),
                _ => {}
            }
        }
        let isolate = isolate.map_err(|source| CliError::Child { source })?;
        Ok(LoadOptions { limits, native, isolate, isolated })
    }

    /// What WebAssembly modules may use.
    pub(crate) fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        for &LimitGiven { limit, value, .. } in &self.plugin_limit {
            let small = u32::try_from(value).unwrap_or(u32::MAX);
            match limit {
                Limit::FuelPerDecision => limits.fuel_per_decision = value,
                Limit::FuelPerCreate => limits.fuel_per_create = value,
                Limit::MemoryMib => limits.memory_mib = small,
                Limit::ReplyBytes => limits.reply_bytes = small,
                Limit::Numerics => {
                    limits.numerics = if value == 0 { Numerics::IntegerOnly } else { Numerics::Floats };
                }
                Limit::IsolatedCallS | Limit::IsolatedMemoryMib => {}
            }
        }
        limits
    }

    /// The same for another process of this program.
    pub(crate) fn arguments(&self) -> Vec<OsString> {
        let plugins = self.plugin.iter().flat_map(|path| [OsString::from("--plugin"), path.into()]);
        let limits = self.plugin_limit.iter().flat_map(|given| ["--plugin-limit".into(), OsString::from(&given.text)]);
        let native = self.allow_native_plugins.iter().map(|permission| match permission {
            Permission::Listed(digests) => {
                let list: Vec<_> = digests.iter().map(String::as_str).collect();
                format!("--allow-native-plugins={}", list.join(",")).into()
            }
            Permission::Everything | Permission::Nothing => "--allow-native-plugins".into(),
        });
        let isolate = self.isolate.then(|| OsString::from("--isolate"));
        let on_trap = ["--on-trap".into(), self.on_trap_text().into()];
        plugins.chain(limits).chain(native).chain(isolate).chain(on_trap).collect()
    }

    /// How failures are dealt with, as results say it.
    pub(crate) fn on_trap_text(&self) -> String {
        match &self.on_trap {
            OnTrap::EndEpisode => "end_episode".to_owned(),
            OnTrap::Noop => "noop".to_owned(),
            OnTrap::Fallback(id) => format!("fallback:{id}"),
        }
    }
}

/// Why a plugin file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PluginError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("{}: {source}", path.display())]
    Register { path: PathBuf, source: RegisterError },
    #[error("cannot look into {}: {source}", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("there is no kind of plugin {kind:?}; there are: {known}")]
    Kind { kind: String, known: String },
    #[error("{id} is the id of several plugins: name one with --kind: {kinds}")]
    Several { id: String, kinds: String },
    #[error("profile {profile}: {entry} {why}")]
    Package { profile: String, entry: String, why: &'static str },
}

/// Everything that is compiled in, and the plugins that the command line, the environment and the profile name.
///
/// # Errors
/// [`CliError::Registry`], [`CliError::Plugin`], [`CliError::Policy`].
pub(crate) fn registry(global: &Global) -> Result<Registry, CliError> {
    let mut registry = labtrust_builtin::registry()?;
    let PluginOptions { on_trap, .. } = &global.plugins;
    let options = global.plugins.load_options()?;
    let carriers = files(global)?.into_iter().map(|path| Ok((load(&path, &options)?, path)));
    let mut carriers = carriers.collect::<Result<Vec<_>, LoadError>>().map_err(PluginError::Load)?;
    // What others fall back to has to be there before them, and has nothing to fall back to itself.
    let is_fallback = |carrier: &dyn Carrier| matches!(on_trap, OnTrap::Fallback(id) if *id == carrier.manifest().id);
    carriers.sort_by_key(|(carrier, _)| !is_fallback(carrier.as_ref()));
    for (carrier, path) in carriers {
        let on_trap = if is_fallback(carrier.as_ref()) { &OnTrap::EndEpisode } else { on_trap };
        let registered = register(registry, carrier, on_trap);
        registry = registered.map_err(|source| PluginError::Register { path, source })?;
    }
    Ok(registry)
}

/// Every file that is to be loaded, each once.
fn files(global: &Global) -> Result<Vec<PathBuf>, CliError> {
    let mut files = global.plugins.plugin.clone();
    let variable = std::env::var_os(PATH_VARIABLE).unwrap_or_default();
    for entry in std::env::split_paths(&variable).filter(|entry| !entry.as_os_str().is_empty()) {
        match entry.is_dir() {
            true => files.extend(in_folder(&entry)?),
            false => files.push(entry),
        }
    }
    files.extend(of_profile(global)?);
    let mut once: Vec<PathBuf> = Vec::new();
    for file in files {
        let same = |known: &PathBuf| {
            known == &file || matches!((known.canonicalize(), file.canonicalize()), (Ok(a), Ok(b)) if a == b)
        };
        if !once.iter().any(same) {
            once.push(file);
        }
    }
    Ok(once)
}

/// The plugins of a folder, in the order of their names.
fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, PluginError> {
    let unreadable = |source| PluginError::Folder { path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(unreadable)?;
    let mut files = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    files.retain(|path| is_plugin_name(path));
    files.sort_unstable();
    Ok(files)
}

fn is_plugin_name(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("wasm" | "so" | "dylib" | "dll"))
}

/// The plugins that the profile names: files inside of the policy directory.
fn of_profile(global: &Global) -> Result<Vec<PathBuf>, CliError> {
    let Some(id) = &global.profile else { return Ok(Vec::new()) };
    let policy = PolicyStore::resolve(global.policy_dir.as_deref())?;
    let profile = LabProfile::load(&policy, id)?;
    let file = |entry: String| {
        let refused = |why| PluginError::Package { profile: id.clone(), entry: entry.clone(), why };
        let path = Path::new(&entry);
        if !is_plugin_name(path) {
            return Err(refused(
                "is no plugin file (.wasm, .so, .dylib, .dll); packages of Python are loaded by LabTrust's Python package only",
            ));
        }
        let inside = path.components().all(|part| matches!(part, std::path::Component::Normal(_)));
        if !inside {
            return Err(refused("leaves the policy directory; name a file inside of it"));
        }
        match policy.source() {
            Source::Directory(root) => {
                let path = root.join(path);
                // A link may lead anywhere. What is not there at all is told when it is opened.
                let outside = |(file, root): (PathBuf, PathBuf)| !file.starts_with(root);
                match path.canonicalize().and_then(|file| Ok((file, root.canonicalize()?))).is_ok_and(outside) {
                    true => Err(refused("is a link that leaves the policy directory; put the file itself there")),
                    false => Ok(path),
                }
            }
            Source::Builtin => Err(refused("cannot be there: the built-in policy has no files; use --policy-dir")),
        }
    };
    Ok(profile.extension_packages.into_iter().map(file).collect::<Result<_, _>>()?)
}
