//! `/proc/self/mountinfo`, as proc(5) describes it.

/// What it says of one mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    /// `major:minor` of what files in it say they lie on.
    pub(super) device: String,
    pub(super) filesystem: String,
    /// What was mounted: a device, or any text.
    pub(super) source: String,
    /// Of the mount and of the file system.
    pub(super) options: Vec<String>,
}

/// The mount with this id.
pub(super) fn find(mountinfo: &str, id: &str) -> Option<Mount> {
    mountinfo.lines().find_map(|line| {
        // id, parent, major:minor, root, mount point, options, any number of tags, "-", type, source, options.
        let (fields, rest) = line.split_once(" - ")?;
        let mut fields = fields.split(' ');
        let found = fields.next()?;
        let device = fields.nth(1)?.to_owned();
        let own = fields.nth(2)?;
        let mut rest = rest.split(' ');
        let (filesystem, source) = (rest.next()?.to_owned(), unescaped(rest.next()?));
        let options = own.split(',').chain(rest.next()?.split(',')).map(str::to_owned).collect();
        (found == id).then_some(Mount { device, filesystem, source, options })
    })
}

/// The id of the mount that an open file lies in, as `/proc/self/fdinfo/N` says it.
pub(super) fn id_of(fdinfo: &str) -> Option<&str> {
    fdinfo.lines().find_map(|line| line.strip_prefix("mnt_id:")).map(str::trim)
}

/// Space, tab, newline and backslash are written as three octal digits.
fn unescaped(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .into_iter()
        .fold(text.to_owned(), |text, (written, meant)| text.replace(written, meant))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTINFO: &str = "\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw,discard,data=journal
30 27 0:44 /@state /var/lib/lapsed rw,noatime shared:9 - btrfs /dev/my\\040disk rw,subvol=/@state
";

    #[test]
    fn a_mount_is_found_by_its_id() {
        let root = find(MOUNTINFO, "27").unwrap();
        assert_eq!((root.device.as_str(), root.filesystem.as_str()), ("254:0", "ext4"));
        assert!(root.options.contains(&"data=journal".to_owned()) && root.options.contains(&"relatime".to_owned()));
        assert_eq!(find(MOUNTINFO, "30").unwrap().source, "/dev/my disk");
        assert_eq!(find(MOUNTINFO, "2"), None);
        assert_eq!(find("27 1\nnonsense - ext4", "27"), None);
    }

    #[test]
    fn an_open_file_says_its_mount() {
        assert_eq!(id_of("pos:\t0\nflags:\t0100000\nmnt_id:\t27\nino:\t3\n"), Some("27"));
        assert_eq!(id_of("pos:\t0\n"), None);
    }
}
