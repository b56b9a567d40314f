//! Whether a file is a whole shared library of this machine.
//!
//! The system's loader maps what the headers promise without a look at where the file ends, and a touch behind its end is
//! a signal that ends the program. So the headers are read here first.

use super::Refusal;
use object::NativeEndian;
use object::elf::{ELFMAG, EM_AARCH64, EM_X86_64, ET_DYN, PT_LOAD};
use object::read::elf::{FileHeader, ProgramHeader};

#[cfg(target_pointer_width = "64")]
type Header = object::elf::FileHeader64<NativeEndian>;
#[cfg(not(target_pointer_width = "64"))]
type Header = object::elf::FileHeader32<NativeEndian>;

/// The processor that this program was built for, as ELF numbers it; `None` where the system's loader has to say.
const MACHINE: Option<u16> = if cfg!(target_arch = "x86_64") {
    Some(EM_X86_64)
} else if cfg!(target_arch = "aarch64") {
    Some(EM_AARCH64)
} else {
    None
};

/// Refuses what is no shared library of this machine, and what ends before its headers say.
pub(super) fn whole(bytes: &[u8]) -> Result<(), Refusal> {
    if bytes.starts_with(b"\0asm") {
        return Err(none("it is a WebAssembly module"));
    }
    if !bytes.starts_with(&ELFMAG) {
        return Err(none("it does not begin like an ELF file"));
    }
    let wanted = length::<Header>(bytes)?;
    let bytes = bytes.len() as u64;
    if wanted > bytes { Err(Refusal::Truncated { bytes, wanted }) } else { Ok(()) }
}

fn none(rule: &str) -> Refusal {
    Refusal::NotALibrary { rule: rule.to_owned() }
}

/// How long the file should be at least, by its headers: those that are there.
fn length<H: FileHeader<Endian = NativeEndian>>(bytes: &[u8]) -> Result<u64, Refusal> {
    if bytes.len() < size_of::<H>() {
        return Ok(size_of::<H>() as u64);
    }
    let header = H::parse(bytes).map_err(|_| none("it is of another word size"))?;
    let endian = header.endian().map_err(|_| none("it is of another byte order"))?;
    if header.e_type(endian) != ET_DYN {
        return Err(none("it is an ELF file of another type"));
    }
    if MACHINE.is_some_and(|machine| header.e_machine(endian) != machine) {
        return Err(none("it is for another processor"));
    }
    let end = |offset: u64, entries: u16, size: u16| offset.saturating_add(u64::from(entries) * u64::from(size));
    let segments = end(header.e_phoff(endian).into(), header.e_phnum(endian), header.e_phentsize(endian));
    // The table of sections is not needed to load a file; it lies at its end, and so shows that nothing is missing.
    let sections = end(header.e_shoff(endian).into(), header.e_shnum(endian), header.e_shentsize(endian));
    let wanted = segments.max(sections);
    if wanted > bytes.len() as u64 {
        return Ok(wanted);
    }
    let segments = header.program_headers(endian, bytes).map_err(|error| none(&error.to_string()))?;
    let mapped = segments.iter().filter(|segment| segment.p_type(endian) == PT_LOAD);
    let ends = mapped.map(|segment| segment.p_offset(endian).into().saturating_add(segment.p_filesz(endian).into()));
    Ok(ends.fold(wanted, u64::max))
}
