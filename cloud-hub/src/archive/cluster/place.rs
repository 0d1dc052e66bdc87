//! Where a private cluster can live: whose user runs it, which folders that user reaches, which PostgreSQL there is.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rustix::process::{geteuid, getuid};

use super::{ClusterError, OLDEST_MAJOR, PORT, command};

/// A socket's path has 108 bytes in the kernel, the last of them zero.
pub(super) const SOCKET_PATH_BYTES_MAX: usize = 107;

/// The unprivileged user that PostgreSQL runs as when the hub is root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Whom PostgreSQL runs as: nobody else than us, unless we are root.
pub(super) fn account_for(directory: &Path) -> Result<Option<Account>, ClusterError> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    if let Ok(existing) = fs::metadata(directory.join("cluster"))
        && existing.uid() != 0
    {
        let (uid, gid) = (existing.uid(), existing.gid());
        return Ok(Some(Account { name: format!("user {uid}"), uid, gid }));
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let account = ["postgres", "nobody"].iter().find_map(|name| account_named(name, &passwd));
    account.map(Some).ok_or(ClusterError::Account)
}

pub(super) fn account_named(name: &str, passwd: &str) -> Option<Account> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    let (uid, gid) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    (uid != 0).then(|| Account { name: format!("user `{name}`"), uid, gid })
}

/// Makes the directory, and checks that PostgreSQL's user can reach it.
pub(super) fn prepare_directory(wanted: &Path, run_as: Option<&Account>) -> Result<PathBuf, ClusterError> {
    fs::create_dir_all(wanted).map_err(directory_error(wanted))?;
    let directory = wanted.canonicalize().map_err(directory_error(wanted))?;
    private_directory(&directory, run_as)?;
    let Some(account) = run_as else { return Ok(directory) };
    for parent in directory.ancestors().skip(1) {
        let found = fs::metadata(parent).map_err(directory_error(parent))?;
        let mode = found.mode() & 0o777;
        if !may_enter(account, found.uid(), found.gid(), mode) {
            let (user, directory) = (account.name.clone(), parent.to_path_buf());
            return Err(ClusterError::CannotEnter { user, directory, mode });
        }
    }
    Ok(directory)
}

pub(super) fn may_enter(account: &Account, owner: u32, group: u32, mode: u32) -> bool {
    let bit = if owner == account.uid {
        0o100
    } else if group == account.gid {
        0o010
    } else {
        0o001
    };
    mode & bit != 0
}

/// Makes a directory that only PostgreSQL's user may enter, or makes an existing one so.
pub(super) fn private_directory(path: &Path, run_as: Option<&Account>) -> Result<(), ClusterError> {
    let owner = run_as.map_or(getuid().as_raw(), |account| account.uid);
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(failed) if failed.kind() != io::ErrorKind::AlreadyExists => {
            return Err(ClusterError::Directory { path: path.to_path_buf(), source: failed });
        }
        _ => {}
    }
    // In /tmp the name can be taken by someone else: neither follow their link nor use their folder.
    let found = fs::symlink_metadata(path).map_err(directory_error(path))?;
    if !found.is_dir() || ![0, getuid().as_raw(), owner].contains(&found.uid()) {
        let source = io::Error::new(io::ErrorKind::AlreadyExists, "it belongs to another user");
        return Err(ClusterError::Directory { path: path.to_path_buf(), source });
    }
    if let Some(account) = run_as {
        chown(path, Some(account.uid), Some(account.gid)).map_err(directory_error(path))?;
    }
    fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(directory_error(path))
}

/// Beside the data when the path fits into a socket address, else under `/tmp` by a hash of the directory.
pub(super) fn socket_directory_for(directory: &Path) -> PathBuf {
    let beside = directory.join("socket");
    let socket = format!("/.s.PGSQL.{PORT}");
    if beside.as_os_str().len() + socket.len() <= SOCKET_PATH_BYTES_MAX {
        return beside;
    }
    // FNV-1a, because the name must be the same in every build of the hub.
    let hash =
        directory.as_os_str().as_encoded_bytes().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
        });
    PathBuf::from(format!("/tmp/sto-{hash:016x}"))
}

/// The newest PostgreSQL, or the one whose version the existing data has.
pub(super) async fn find_binaries(
    configured: Option<&Path>,
    wanted: Option<&str>,
    run_as: Option<&Account>,
) -> Result<PathBuf, ClusterError> {
    let candidates = configured.map_or_else(usual_places, |folder| vec![folder.to_path_buf()]);
    let mut tried = Vec::new();
    for folder in candidates {
        let major = major_version(&folder, run_as).await;
        let problem = match major {
            None => "does not have both".to_owned(),
            Some(major) if major < OLDEST_MAJOR => format!("is version {major}"),
            Some(major) if wanted.is_some_and(|wanted| wanted != major.to_string()) => {
                format!("is version {major}, the data is of {}", wanted.unwrap_or_default())
            }
            Some(_) => return Ok(folder),
        };
        tried.push(format!("{} ({problem})", folder.display()));
    }
    let tried = if tried.is_empty() { "PATH, /usr/lib/postgresql".to_owned() } else { tried.join(", ") };
    Err(ClusterError::Binaries { tried })
}

fn usual_places() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> =
        std::env::split_paths(&path).filter(|folder| folder.join("initdb").is_file()).collect();
    let mut packaged: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter_map(|folder| Some((folder.file_name()?.to_str()?.parse().ok()?, folder.join("bin"))))
        .collect();
    packaged.sort_unstable_by(|one, other| other.cmp(one));
    places.extend(packaged.into_iter().map(|(_, folder)| folder));
    places
}

/// Asks both programs, as the user who will run them: what is on the path may be a wrapper, or not for everyone.
async fn major_version(folder: &Path, run_as: Option<&Account>) -> Option<u32> {
    let mut majors = Vec::new();
    for program in ["initdb", "postgres"] {
        let asked = command(&folder.join(program), Path::new("/"), run_as).arg("--version").output().await;
        majors.push(major_in(&String::from_utf8_lossy(&asked.ok()?.stdout))?);
    }
    (majors[0] == majors[1]).then_some(majors[0])
}

/// From `postgres (PostgreSQL) 15.18 (Debian 15.18-0)`.
pub(super) fn major_in(version: &str) -> Option<u32> {
    let number = version.split("(PostgreSQL) ").nth(1)?;
    number.split(|letter: char| !letter.is_ascii_digit()).next()?.parse().ok()
}

pub(super) fn directory_error(path: &Path) -> impl FnOnce(io::Error) -> ClusterError {
    let path = path.to_path_buf();
    move |source| ClusterError::Directory { path, source }
}
