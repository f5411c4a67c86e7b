//! Reads what lies below a file from `/proc` and `/sys`. What cannot be read is not known, and never an error.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::mounts;
use super::stack::{Kind, Layer, Stack};

/// How many devices or files may lie over one another before we take it for a circle.
const DEEPEST: u32 = 16;

/// What lies below the file or directory at `path`; `None` if it cannot be opened, or `/proc` is not there.
pub(super) fn stack_of(path: &Path) -> Option<Stack> {
    stack_down(path, DEEPEST)
}

fn stack_down(path: &Path, depth: u32) -> Option<Stack> {
    let file = File::open(path).ok()?;
    let fdinfo = fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).ok()?;
    let mountinfo = fs::read_to_string("/proc/self/mountinfo").ok()?;
    let mount = mounts::find(&mountinfo, mounts::id_of(&fdinfo)?)?;
    let device = layer(&mount.device, depth).or_else(|| layer(&device_of(Path::new(&mount.source))?, depth));
    let mut options = mount.options;
    // What is the file system's default, mountinfo leaves out.
    if let Some(name) = device.as_ref().map(|device| device.name.as_str()) {
        let all = fs::read_to_string(format!("/proc/fs/{}/{name}/options", mount.filesystem)).unwrap_or_default();
        options.extend(all.lines().filter(|line| line.starts_with("data=")).map(str::to_owned));
    }
    Some(Stack { filesystem: mount.filesystem, options, device, virtual_machine: is_virtual() })
}

/// `major:minor` of a block device's node.
fn device_of(node: &Path) -> Option<String> {
    let device = fs::metadata(node).ok()?.rdev();
    (device != 0).then(|| format!("{}:{}", nix::sys::stat::major(device), nix::sys::stat::minor(device)))
}

/// The block device with this `major:minor`, and what it lies on.
fn layer(device: &str, depth: u32) -> Option<Layer> {
    let dir = fs::canonicalize(format!("/sys/dev/block/{device}")).ok()?;
    layer_at(&dir, depth.checked_sub(1)?)
}

fn layer_at(dir: &Path, depth: u32) -> Option<Layer> {
    let name = dir.file_name()?.to_str()?.to_owned();
    if dir.join("partition").exists() {
        let whole = layer_at(dir.parent()?, depth.checked_sub(1)?);
        return Some(Layer { name, kind: Kind::Partition, below: whole.into_iter().collect() });
    }
    let slaves = fs::read_dir(dir.join("slaves")).into_iter().flatten().flatten();
    let mut slaves: Vec<_> = slaves.filter_map(|slave| fs::canonicalize(slave.path()).ok()).collect();
    slaves.sort();
    let below = slaves.iter().filter_map(|slave| layer_at(slave, depth.checked_sub(1)?)).collect();
    let kind = kind_of(dir, &name, depth);
    Some(Layer { name, kind, below })
}

fn kind_of(dir: &Path, name: &str, depth: u32) -> Kind {
    if let Some(uuid) = text(&dir.join("dm/uuid")) {
        // `LVM-...`, `CRYPT-LUKS2-...`, `mpath-...`
        let owner = uuid.split('-').next().filter(|owner| !owner.is_empty());
        return Kind::Mapper(owner.unwrap_or("unknown").to_owned());
    }
    if let Some(level) = text(&dir.join("md/level")) {
        return Kind::Md(level);
    }
    if dir.join("loop").exists() || name.starts_with("loop") {
        let backing = text(&dir.join("loop/backing_file"));
        let stack = backing.and_then(|file| stack_down(Path::new(&file), depth.checked_sub(1)?));
        return Kind::Loop(stack.map(Box::new));
    }
    let begins = |start: &str| name.starts_with(start);
    if begins("nvme") {
        Kind::Nvme
    } else if begins("vd") {
        Kind::Virtio
    } else if begins("mmcblk") {
        Kind::Mmc
    } else if begins("zram") || begins("ram") {
        Kind::Ram
    } else if begins("sd") {
        let attribute = |name: &str| text(&dir.join(name)).unwrap_or_default();
        Kind::Disk {
            rotational: attribute("queue/rotational") == "1",
            vendor: attribute("device/vendor"),
            model: attribute("device/model"),
        }
    } else {
        Kind::Other
    }
}

/// Does the processor say that a hypervisor runs it? Where it cannot say, the machine is taken for a real one.
fn is_virtual() -> bool {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags = cpuinfo.lines().find(|line| line.starts_with("flags"));
    flags.is_some_and(|flags| flags.split_whitespace().any(|flag| flag == "hypervisor"))
        || Path::new("/sys/hypervisor/type").exists()
}

fn text(path: &Path) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}
