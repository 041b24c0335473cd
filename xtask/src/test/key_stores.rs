//! What keys are kept in during the tests: a hardware module and a keychain.

use crate::{Result, shell};
use std::path::{Path, PathBuf};
use std::process::Command;

const SOFTHSM: &str = "softhsm/libsofthsm2.so";

/// The library of SoftHSM: installed on this machine, or else unpacked from Debian's package, which needs no rights.
pub(super) fn softhsm() -> Result<PathBuf> {
    let roots = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib"].map(PathBuf::from);
    if let Some(found) = roots.iter().find_map(|root| below(root)) {
        return Ok(found);
    }
    let folder = shell::root().join("target/softhsm");
    shell::once(&folder, SOFTHSM, || {
        shell::output(Command::new("apt-get").current_dir(&folder).args(["download", "libsofthsm2"]))?;
        let package = std::fs::read_dir(&folder)?.flatten().find(|entry| entry.path().extension().is_some_and(|e| e == "deb"));
        let package = package.ok_or("apt-get downloaded nothing")?.path();
        shell::output(Command::new("dpkg-deb").arg("--extract").arg(package).arg(&folder))
    })?;
    below(&folder.join("usr/lib")).ok_or_else(|| "the package of SoftHSM has no library".into())
}

/// In a folder of libraries, or in that of an architecture below it.
fn below(root: &Path) -> Option<PathBuf> {
    let folders = std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    [root.to_owned()].into_iter().chain(folders).map(|folder| folder.join(SOFTHSM)).find(|path| path.is_file())
}

/// Whether there are a D-Bus and a Secret Service on it to start, where keychains are those of Linux.
pub(super) fn keyring() -> Result<()> {
    let programs = if cfg!(target_os = "linux") { &["dbus-daemon", "gnome-keyring-daemon"][..] } else { &[] };
    match programs.iter().find(|program| !shell::exists(program)) {
        Some(missing) => Err(format!("{missing} is not installed").into()),
        None => Ok(()),
    }
}
