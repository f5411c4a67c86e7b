//! The erasure class: what overwriting a key in place means on the file system and devices that the keyring lies on.
//!
//! It is read from what the kernel says, and stated with all that it was read from. It never looks inside a drive.

mod machine;
mod mounts;
mod stack;

use std::path::Path;

use crate::domain::erasure::ErasureClass;

/// The erasure class of a keyring, and what it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// The class.
    pub class: ErasureClass,
    /// Why it is not better, or what makes it the best.
    pub reason: String,
    /// One line: the file system and every block device below it.
    pub stack: String,
    /// Does the database lie on a device that the keyring lies on, too?
    pub together: Together,
}

/// Whether two files share a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Together {
    /// They do: who takes the device, or a copy of it, has both.
    SameDevice,
    /// They do not.
    OtherDevice,
    /// It cannot be told.
    Unknown,
}

impl Together {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::SameDevice => "same-device",
            Self::OtherDevice => "other-device",
            Self::Unknown => "unknown",
        }
    }
}

impl Erasure {
    /// Of a keyring beside a database.
    pub(super) fn of(keyring: &Path, database: &Path) -> Self {
        let (key_stack, data_stack) = (machine::stack_of(keyring), machine::stack_of(database));
        let Some(stack) = key_stack else {
            return Self {
                class: ErasureClass::Degraded,
                reason: "the kernel does not say where the keyring lies".to_owned(),
                stack: "unknown".to_owned(),
                together: Together::Unknown,
            };
        };
        let (class, reason) = stack.class();
        let bottom = stack.bottom();
        let together = match data_stack {
            Some(data) if stack == data => Together::SameDevice,
            Some(data) if data.bottom().iter().any(|name| bottom.contains(name)) => Together::SameDevice,
            Some(data) if !bottom.is_empty() && !data.bottom().is_empty() => Together::OtherDevice,
            Some(_) | None => Together::Unknown,
        };
        Self { class, reason, stack: stack.to_string(), together }
    }
}

/// `C?: a virtual disk (virtio); ext4 on vda (virtio); beside the database: same-device`.
impl std::fmt::Display for Erasure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { class, reason, stack, together } = self;
        write!(f, "{class}: {reason}; {stack}; beside the database: {}", together.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_this_machine_has_a_class_and_lies_with_its_neighbour() {
        let dir = tempfile::tempdir().unwrap();
        let (keyring, database) = (dir.path().join("keyring"), dir.path().join("db"));
        std::fs::write(&keyring, "").unwrap();
        std::fs::create_dir(&database).unwrap();
        let erasure = Erasure::of(&keyring, &database);
        assert_eq!(erasure.together, Together::SameDevice, "{erasure}");
        assert!(!erasure.stack.is_empty() && !erasure.stack.contains('\n'), "{erasure}");
        let gone = Erasure::of(&dir.path().join("gone"), &database);
        assert_eq!((gone.class, gone.together), (ErasureClass::Degraded, Together::Unknown));
    }
}
