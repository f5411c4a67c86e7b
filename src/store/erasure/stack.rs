//! What lies below a file, and what that means for bytes that are overwritten in it. Pure: reading the machine is another file's.

use std::fmt;

use crate::domain::erasure::ErasureClass;

/// A file's way down to the devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stack {
    /// The file system's type, as the kernel names it.
    pub(super) filesystem: String,
    /// Its options, those of the mount and those of the file system.
    pub(super) options: Vec<String>,
    /// The device it is mounted from; `None` where it is none, or cannot be told.
    pub(super) device: Option<Layer>,
    /// Are the machine's devices those of a hypervisor?
    pub(super) virtual_machine: bool,
}

/// A block device and those it lies on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layer {
    /// The kernel's name for it.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) below: Vec<Layer>,
}

/// What a block device is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Partition,
    /// A disk that the kernel drives as a SCSI or ATA disk.
    Disk {
        rotational: bool,
        vendor: String,
        model: String,
    },
    Nvme,
    Virtio,
    /// An SD card or eMMC.
    Mmc,
    /// The device mapper; the beginning of its uuid says for whom.
    Mapper(String),
    /// Linux software RAID and its level.
    Md(String),
    /// A file as a device, and what lies below that file.
    Loop(Option<Box<Stack>>),
    /// A disk in memory: `ram`, `zram`.
    Ram,
    Other,
}

/// File systems that write new data beside the old.
const COPY_ON_WRITE: [&str; 9] = ["btrfs", "zfs", "bcachefs", "f2fs", "nilfs2", "overlay", "aufs", "ubifs", "jffs2"];
/// File systems that write over the old data, where they have it on a device of this machine.
const IN_PLACE: [&str; 8] = ["ext2", "ext3", "ext4", "xfs", "jfs", "vfat", "exfat", "ntfs3"];
/// File systems of another machine, which may be any of the above.
const REMOTE: [&str; 7] = ["nfs", "nfs4", "cifs", "smb3", "ceph", "9p", "virtiofs"];
/// Whose disks are known to be no more than disks, as the kernel reports them.
const DISK_MAKERS: [&str; 6] = ["ATA", "SEAGATE", "HGST", "HITACHI", "TOSHIBA", "WDC"];

impl Stack {
    /// The class, and the reason for it in a few words.
    pub(super) fn class(&self) -> (ErasureClass, String) {
        let filesystem = self.filesystem.as_str();
        if matches!(filesystem, "tmpfs" | "ramfs") {
            return (ErasureClass::Memory, "the file lies in memory".to_owned());
        }
        if COPY_ON_WRITE.contains(&filesystem) {
            return (ErasureClass::Degraded, format!("{filesystem} writes new data beside the old"));
        }
        if self.options.iter().any(|option| option == "data=journal") {
            return (ErasureClass::Degraded, "data=journal writes data twice".to_owned());
        }
        if REMOTE.contains(&filesystem) {
            return (ErasureClass::Unsure, format!("{filesystem} is kept by another machine"));
        }
        if !IN_PLACE.contains(&filesystem) {
            return (ErasureClass::Degraded, format!("nothing is known of {filesystem}"));
        }
        match &self.device {
            Some(device) => device.class(self.virtual_machine),
            None => (ErasureClass::Unsure, "the device below is not known".to_owned()),
        }
    }

    /// The devices at the bottom, by name.
    pub(super) fn bottom(&self) -> Vec<&str> {
        self.device.as_ref().map(Layer::bottom).unwrap_or_default()
    }
}

impl Layer {
    /// The worst of its own and of what lies below.
    fn class(&self, virtual_machine: bool) -> (ErasureClass, String) {
        let below = self.below.iter().map(|layer| layer.class(virtual_machine));
        let unsure = |reason: String| (ErasureClass::Unsure, reason);
        let own = match &self.kind {
            Kind::Partition if !self.below.is_empty() => (ErasureClass::InPlace, String::new()),
            Kind::Disk { rotational: true, vendor, .. }
                if !virtual_machine && DISK_MAKERS.contains(&vendor.to_uppercase().as_str()) =>
            {
                (ErasureClass::InPlace, "a disk of this machine, with nothing in between".to_owned())
            }
            Kind::Disk { rotational: true, .. } if virtual_machine => unsure("a disk of a virtual machine".to_owned()),
            Kind::Disk { rotational: true, .. } => unsure("a controller stands before the disk".to_owned()),
            Kind::Disk { rotational: false, .. } | Kind::Nvme | Kind::Mmc => {
                unsure("flash: its controller chooses where it writes".to_owned())
            }
            Kind::Virtio => unsure("a virtual disk (virtio)".to_owned()),
            Kind::Mapper(owner) => unsure(format!("the device mapper ({owner}) lies below")),
            Kind::Md(level) => unsure(format!("software RAID ({level}) lies below")),
            Kind::Loop(Some(stack)) => match stack.class() {
                (class, reason) if class < ErasureClass::Unsure => (class, reason),
                (_, reason) => unsure(format!("a loop device: {reason}")),
            },
            Kind::Loop(None) => unsure("a loop device over a file that cannot be found".to_owned()),
            Kind::Ram => (ErasureClass::Memory, "the device lies in memory".to_owned()),
            Kind::Partition | Kind::Other => unsure("a device of an unknown kind".to_owned()),
        };
        // The first of the worst, from the top down: that is the reason to begin with.
        below.fold(own, |worst, next| {
            let better = next.0 < worst.0 || (next.0 == worst.0 && worst.1.is_empty());
            if better { next } else { worst }
        })
    }

    fn bottom(&self) -> Vec<&str> {
        let file = match &self.kind {
            Kind::Loop(Some(stack)) => stack.bottom(),
            Kind::Loop(None) | Kind::Partition | Kind::Disk { .. } | Kind::Nvme | Kind::Virtio | Kind::Mmc => {
                Vec::new()
            }
            Kind::Mapper(_) | Kind::Md(_) | Kind::Ram | Kind::Other => Vec::new(),
        };
        let below: Vec<&str> = self.below.iter().flat_map(Layer::bottom).chain(file).collect();
        if below.is_empty() { vec![&self.name] } else { below }
    }
}

/// One line, from the file system down: `ext4 (data=ordered) on sda2, a partition, on sda, a disk (rotational, ATA WDC ...)`.
impl fmt::Display for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.filesystem)?;
        if let Some(data) = self.options.iter().find(|option| option.starts_with("data=")) {
            write!(f, " ({data})")?;
        }
        if let Some(device) = &self.device {
            write!(f, " on {device}")?;
        }
        if self.virtual_machine { f.write_str(", in a virtual machine") } else { Ok(()) }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        match &self.kind {
            Kind::Partition => f.write_str(" (partition)")?,
            Kind::Disk { rotational, vendor, model } => {
                let medium = if *rotational { "rotating disk" } else { "flash disk" };
                write!(f, " ({medium}, {vendor} {model})")?;
            }
            Kind::Nvme => f.write_str(" (nvme)")?,
            Kind::Virtio => f.write_str(" (virtio)")?,
            Kind::Mmc => f.write_str(" (mmc)")?,
            Kind::Mapper(owner) => write!(f, " (device mapper, {owner})")?,
            Kind::Md(level) => write!(f, " (md, {level})")?,
            Kind::Loop(Some(stack)) => write!(f, " (loop over a file in {stack})")?,
            Kind::Loop(None) => f.write_str(" (loop)")?,
            Kind::Ram => f.write_str(" (memory)")?,
            Kind::Other => f.write_str(" (unknown)")?,
        }
        for (place, layer) in self.below.iter().enumerate() {
            write!(f, "{}{layer}", if place == 0 { " on " } else { " and " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(name: &str, kind: Kind, below: Vec<Layer>) -> Layer {
        Layer { name: name.to_owned(), kind, below }
    }

    fn disk(name: &str, rotational: bool, vendor: &str) -> Layer {
        layer(name, Kind::Disk { rotational, vendor: vendor.into(), model: "MODEL-1".into() }, Vec::new())
    }

    fn on(filesystem: &str, device: Option<Layer>) -> Stack {
        Stack { filesystem: filesystem.into(), options: vec!["rw".into()], device, virtual_machine: false }
    }

    fn class(stack: &Stack) -> ErasureClass {
        stack.class().0
    }

    #[test]
    fn only_a_file_in_place_on_a_bare_disk_is_sure() {
        let partition = layer("sda2", Kind::Partition, vec![disk("sda", true, "ATA")]);
        let sure = on("ext4", Some(partition));
        assert_eq!(class(&sure), ErasureClass::InPlace);
        assert_eq!(class(&on("xfs", Some(disk("sdb", true, "Seagate")))), ErasureClass::InPlace);
        assert_eq!(class(&Stack { virtual_machine: true, ..sure }), ErasureClass::Unsure);
        assert_eq!(class(&on("ext4", Some(disk("sda", false, "ATA")))), ErasureClass::Unsure);
        assert_eq!(class(&on("ext4", Some(disk("sda", true, "LSI")))), ErasureClass::Unsure);
        assert_eq!(class(&on("ext4", None)), ErasureClass::Unsure);
        for kind in [Kind::Nvme, Kind::Virtio, Kind::Mmc, Kind::Other] {
            assert_eq!(class(&on("ext4", Some(layer("x", kind, Vec::new())))), ErasureClass::Unsure);
        }
    }

    #[test]
    fn what_lies_between_makes_it_unsure() {
        let bare = || vec![disk("sda", true, "ATA")];
        for kind in [Kind::Mapper("LVM".into()), Kind::Mapper("CRYPT".into()), Kind::Md("raid1".into())] {
            assert_eq!(class(&on("ext4", Some(layer("dm-0", kind, bare())))), ErasureClass::Unsure);
        }
    }

    #[test]
    fn what_writes_beside_or_twice_is_degraded() {
        let bare = || Some(disk("sda", true, "ATA"));
        for filesystem in ["btrfs", "zfs", "overlay", "f2fs", "nilfs2", "squashfs"] {
            assert_eq!(class(&on(filesystem, bare())), ErasureClass::Degraded, "{filesystem}");
        }
        let journal = Stack { options: vec!["rw".into(), "data=journal".into()], ..on("ext4", bare()) };
        assert_eq!(class(&journal), ErasureClass::Degraded);
        assert_eq!(class(&Stack { options: vec!["data=ordered".into()], ..journal.clone() }), ErasureClass::InPlace);

        let looped = |stack: Stack| on("ext4", Some(layer("loop0", Kind::Loop(Some(Box::new(stack))), Vec::new())));
        assert_eq!(class(&looped(on("btrfs", None))), ErasureClass::Degraded);
        assert_eq!(class(&looped(journal)), ErasureClass::Degraded);
        assert_eq!(class(&looped(on("ext4", bare()))), ErasureClass::Unsure);
        assert_eq!(class(&looped(on("tmpfs", None))), ErasureClass::Memory);
    }

    #[test]
    fn memory_and_other_machines_are_cases_of_their_own() {
        assert_eq!(class(&on("tmpfs", None)), ErasureClass::Memory);
        assert_eq!(class(&on("ext4", Some(layer("zram0", Kind::Ram, Vec::new())))), ErasureClass::Memory);
        assert_eq!(class(&on("nfs4", None)), ErasureClass::Unsure);
    }

    #[test]
    fn the_line_names_every_layer_and_the_bottom() {
        let mirror = vec![
            layer("sda1", Kind::Partition, vec![disk("sda", true, "ATA")]),
            layer("sdb1", Kind::Partition, vec![disk("sdb", true, "ATA")]),
        ];
        let md = layer("md0", Kind::Md("raid1".into()), mirror);
        let stack = on("ext4", Some(layer("dm-0", Kind::Mapper("LVM".into()), vec![md])));
        assert_eq!(stack.bottom(), ["sda", "sdb"]);
        assert_eq!(
            stack.to_string(),
            "ext4 on dm-0 (device mapper, LVM) on md0 (md, raid1) on sda1 (partition) on sda (rotating disk, ATA MODEL-1) \
             and sdb1 (partition) on sdb (rotating disk, ATA MODEL-1)"
        );
        assert_eq!(stack.class().1, "the device mapper (LVM) lies below");
    }
}
