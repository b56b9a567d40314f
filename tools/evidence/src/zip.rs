//! A ZIP archive in memory: deflated members in the order given, without times, so that equal content is equal bytes.

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use std::io::{self, Write as _};

/// 1980-01-01, the first day that the format knows.
const DATE: u16 = (1 << 5) | 1;
/// Version 2.0: deflate.
const VERSION: u16 = 20;
/// Names are UTF-8.
const UTF8: u16 = 1 << 11;
const DEFLATE: u16 = 8;

/// Makes an archive of named members.
///
/// # Errors
/// When a member or the archive has 4 GiB or more, or there are more than 65,535 members.
pub(crate) fn archive(members: &[(String, Vec<u8>)]) -> io::Result<Vec<u8>> {
    let too_large = |_| io::Error::other("the archive would be larger than the format allows");
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, bytes) in members {
        let mut crc = Crc::new();
        crc.update(bytes);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes)?;
        let packed = encoder.finish()?;
        let offset = u32::try_from(out.len()).map_err(too_large)?;
        let mut header = Vec::new();
        for field in [VERSION, UTF8, DEFLATE, 0, DATE] {
            header.extend_from_slice(&field.to_le_bytes());
        }
        for field in
            [crc.sum(), u32::try_from(packed.len()).map_err(too_large)?, u32::try_from(bytes.len()).map_err(too_large)?]
        {
            header.extend_from_slice(&field.to_le_bytes());
        }
        header.extend_from_slice(&u16::try_from(name.len()).map_err(too_large)?.to_le_bytes());
        header.extend_from_slice(&0_u16.to_le_bytes());
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&header);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&packed);
        directory.extend_from_slice(b"PK\x01\x02");
        directory.extend_from_slice(&VERSION.to_le_bytes());
        directory.extend_from_slice(&header);
        // Comment, disk, internal and external attributes.
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let count = u16::try_from(members.len()).map_err(too_large)?;
    let start = u32::try_from(out.len()).map_err(too_large)?;
    let length = u32::try_from(directory.len()).map_err(too_large)?;
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&count.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&start.to_le_bytes());
    out.extend_from_slice(&0_u16.to_le_bytes());
    Ok(out)
}
