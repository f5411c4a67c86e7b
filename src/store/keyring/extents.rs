//! Where bytes of a file lie on the device: FIEMAP (Linux, `Documentation/filesystems/fiemap.rst`).
//!
//! A file system that writes elsewhere instead of over the old bytes keeps the old bytes, and the file alone does not show
//! it. It shows in the places, so they are compared before and after.
#![expect(unsafe_code, reason = "FIEMAP has no safe wrapper; this is its one call")]

use std::fs::File;
use std::os::fd::AsRawFd as _;

/// A run of bytes of the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    physical: u64,
    length: u64,
}

/// Where a stretch of a file lies. Equal before and after: it was overwritten where it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lie(Vec<Run>);

const MOST_EXTENTS: usize = 16;
/// Write what waits in memory first, so that it has a place (`FIEMAP_FLAG_SYNC`).
const SYNC: u32 = 1;
/// `FIEMAP_EXTENT_UNKNOWN`, `_DELALLOC`, `_ENCODED`, `_NOT_ALIGNED`, `_DATA_INLINE`, `_DATA_TAIL`: the place is not told, or
/// means something else.
const NO_PLACE: u32 = 0x2 | 0x4 | 0x8 | 0x100 | 0x200 | 0x400;

/// `struct fiemap_extent` of `linux/fiemap.h`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Extent {
    logical: u64,
    physical: u64,
    length: u64,
    reserved64: [u64; 2],
    flags: u32,
    reserved: [u32; 3],
}

/// `struct fiemap`, with room for extents behind it.
#[repr(C)]
struct Map {
    start: u64,
    length: u64,
    flags: u32,
    mapped: u32,
    room: u32,
    reserved: u32,
    extents: [Extent; MOST_EXTENTS],
}

/// `FS_IOC_FIEMAP`: its number is made with the size of `struct fiemap` without extents.
const FS_IOC_FIEMAP: nix::sys::ioctl::ioctl_num_type = nix::request_code_readwrite!(b'f', 11, 32);

/// Where `length` bytes from `start` on lie. `None`: the file system does not say, or has no fixed place for them.
pub(super) fn lie_of(file: &File, start: u64, length: u64) -> Option<Lie> {
    let room = u32::try_from(MOST_EXTENTS).ok()?;
    let extents = [Extent::default(); MOST_EXTENTS];
    let mut map = Map { start, length, flags: SYNC, mapped: 0, room, reserved: 0, extents };
    // SAFETY: the descriptor is open for as long as `file` is borrowed. The kernel reads and writes a `struct fiemap` and at
    // most `room` extents behind it, which is what `map` has, in the layout of C and without padding; every bit pattern is a
    // value of its fields.
    let done = unsafe { nix::libc::ioctl(file.as_raw_fd(), FS_IOC_FIEMAP, &raw mut map) };
    if done != 0 {
        return None;
    }
    let mapped = usize::try_from(map.mapped).ok()?;
    lie_in(map.extents.get(..mapped)?, start, start.checked_add(length)?)
}

/// The runs of `[start, end)`, cut to it and joined where they touch: an extent may be split without anything having moved.
fn lie_in(extents: &[Extent], start: u64, end: u64) -> Option<Lie> {
    let mut runs: Vec<Run> = Vec::new();
    let mut reached = start;
    for extent in extents {
        if extent.flags & NO_PLACE != 0 || extent.logical > reached {
            return None;
        }
        let skipped = reached.checked_sub(extent.logical)?;
        let length = extent.length.checked_sub(skipped)?.min(end.checked_sub(reached)?);
        let physical = extent.physical.checked_add(skipped)?;
        match runs.last_mut() {
            Some(last) if last.physical.checked_add(last.length)? == physical => {
                last.length = last.length.checked_add(length)?;
            }
            Some(_) | None => runs.push(Run { physical, length }),
        }
        reached = reached.checked_add(length)?;
    }
    (reached == end).then_some(Lie(runs))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use super::*;

    fn extent(logical: u64, physical: u64, length: u64) -> Extent {
        Extent { logical, physical, length, ..Extent::default() }
    }

    #[test]
    fn a_split_extent_has_not_moved() {
        let whole = lie_in(&[extent(0, 1 << 20, 8192)], 4096, 8192);
        let split = lie_in(&[extent(4096, (1 << 20) + 4096, 1024), extent(5120, (1 << 20) + 5120, 9000)], 4096, 8192);
        assert!(whole.is_some());
        assert_eq!(whole, split);
        assert_ne!(whole, lie_in(&[extent(0, 1 << 21, 8192)], 4096, 8192));
    }

    #[test]
    fn what_has_no_place_is_unknown() {
        assert_eq!(lie_in(&[], 0, 4096), None);
        assert_eq!(lie_in(&[extent(4096, 9, 4096)], 0, 4096), None, "a hole");
        assert_eq!(lie_in(&[extent(0, 9, 1024)], 0, 4096), None, "it ends early");
        for flag in [2, 4, 8, 0x200] {
            assert_eq!(lie_in(&[Extent { flags: flag, ..extent(0, 9, 4096) }], 0, 4096), None);
        }
    }

    #[test]
    fn the_structures_have_the_sizes_of_the_kernel() {
        assert_eq!((size_of::<Extent>(), size_of::<Map>()), (56, 32 + MOST_EXTENTS * 56));
    }

    #[test]
    fn a_file_that_is_overwritten_in_place_lies_where_it_lay() {
        let dir = tempfile::tempdir().unwrap();
        let file = File::create_new(dir.path().join("file")).unwrap();
        file.write_all_at(&[1; 16_384], 0).unwrap();
        file.sync_all().unwrap();
        let before = lie_of(&file, 4096, 4096);
        file.write_all_at(&[2; 4096], 4096).unwrap();
        file.sync_all().unwrap();
        // Where files cannot be mapped (in memory), both are unknown; where they are copied on write, this test does not hold.
        assert_eq!(lie_of(&file, 4096, 4096), before);
    }
}
