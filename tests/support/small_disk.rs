//! A small file system in memory that can be filled to the last page: in a mount namespace of its own, so that nothing of it
//! stays on the machine. Programs are run inside; the test reaches its files through `/proc`.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const MIB: usize = 1 << 20;

/// The file that takes what is free.
const FILLER: &str = "filler";

/// The file system. It goes when this is dropped and nothing runs on it any more.
pub(crate) struct SmallDisk {
    /// A process that does nothing but have the namespace.
    holder: Child,
    mount: PathBuf,
}

impl SmallDisk {
    /// Mounts one of so many MiB over a directory.
    pub(crate) fn mount(directory: &Path, size: u64) -> Result<Self, String> {
        let script = format!("mount -t tmpfs -o size={size}m,mode=0700 tmpfs \"$1\" && echo mounted && exec cat");
        let mut holder = Command::new("unshare")
            .args(["--map-root-user", "--mount", "sh", "-c", &script, "sh"])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare(1): {error}"))?;
        let mut said = String::new();
        BufReader::new(holder.stdout.take().unwrap()).read_line(&mut said).unwrap();
        if said == "mounted\n" {
            return Ok(Self { holder, mount: directory.to_owned() });
        }
        let output = holder.wait_with_output().unwrap();
        Err(format!("unshare(1): {}", String::from_utf8_lossy(&output.stderr)))
    }

    /// The same command, run where it sees this disk.
    pub(crate) fn inside(&self, command: &Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside.args(["--preserve-credentials", "--user", "--mount", "--target", &self.holder.id().to_string(), "--"]);
        inside.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }

    /// A file on it, as it is seen from here.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        root.join(self.mount.strip_prefix("/").unwrap()).join(name)
    }

    /// How many bytes are free.
    pub(crate) fn free(&self) -> usize {
        let found = nix::sys::statvfs::statvfs(&self.path("")).unwrap();
        usize::try_from(found.blocks_available() * found.fragment_size()).unwrap()
    }

    /// Takes what is free but so much.
    pub(crate) fn fill_but(&self, left: usize) {
        let mut filler = File::options().append(true).create(true).open(self.path(FILLER)).unwrap();
        while self.free() > left {
            let next = MIB.min(self.free() - left);
            filler.write_all(&vec![7; next]).unwrap();
        }
    }

    /// Takes everything that is free, to the last page.
    pub(crate) fn fill(&self) {
        let mut filler = File::options().append(true).create(true).open(self.path(FILLER)).unwrap();
        for chunk in [MIB, 4096, 1] {
            let error = loop {
                if let Err(error) = filler.write_all(&vec![7; chunk]) {
                    break error;
                }
            };
            assert_eq!(error.kind(), ErrorKind::StorageFull);
        }
    }

    /// Gives back what was taken.
    pub(crate) fn empty(&self) {
        fs::remove_file(self.path(FILLER)).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.holder.kill();
        let _ = self.holder.wait();
    }
}
