//! The cookies of a run: read before it, and written when it has ended.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};

use super::args::Request;
use super::draft::{beside, replace, resolve};
use super::exit::Stop;
use crate::fetch::CookieJar;

/// The mode of the jar: it is for no other user to read.
const MODE: u32 = 0o600;

/// Whether an argument of `--cookie` is `NAME=VALUE`, and no file: as curl tells them apart.
pub(super) fn is_data(argument: &str) -> bool {
    argument.contains('=')
}

/// A jar, and the file that it is kept in.
#[derive(Debug)]
pub(super) struct Cookies {
    pub(super) jar: Arc<CookieJar>,
    file: Option<PathBuf>,
}

/// The jar that the options ask for: `NAME=VALUE` alone asks for none. Its file may be none of the `outputs`.
pub(super) fn open<'a>(
    args: &Request,
    outputs: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<Option<Cookies>, Stop> {
    let files: Vec<_> = args.cookie.iter().filter(|argument| !is_data(argument)).collect();
    if files.is_empty() && args.cookie_jar.is_none() {
        return Ok(None);
    }
    let jar = CookieJar::default();
    let file = args.cookie_jar.as_deref().map(|path| open_jar(&jar, path, outputs)).transpose()?;
    for name in files.into_iter().filter(|name| !name.is_empty()) {
        // curl's way to say what --cookie-jar alone says here.
        if file.is_none() || file != resolve(Path::new(name)).ok() {
            read(&jar, name)?;
        }
    }
    Ok(Some(Cookies { jar: Arc::new(jar), file }))
}

impl Cookies {
    /// Writes the file, if there is one: all of it or nothing, and for no other user to read.
    pub(super) fn save(self) -> anyhow::Result<()> {
        let Some(path) = self.file else { return Ok(()) };
        let written = replace(&path, &self.jar.write(), MODE);
        written.with_context(|| format!("cannot write {}, the file of --cookie-jar", path.display()))
    }
}

/// Reads the file of `--cookie`.
fn read(jar: &CookieJar, name: &str) -> Result<(), Stop> {
    let text = fs::read(name).map_err(|error| match error.kind() {
        // It may be a secret that was meant as a cookie: it is not quoted.
        ErrorKind::NotFound => Stop::usage(anyhow!("--cookie names a file that does not exist"))
            .with_hint(Some("NAME=VALUE is sent as a cookie, --cookie-jar makes a new file".into())),
        _ => Stop::broken(anyhow!(error).context(format!("cannot read {name}, the file of --cookie"))),
    })?;
    for bad in jar.read(&text) {
        tracing::warn!("{name}:{bad}: this line is passed over");
    }
    Ok(())
}

/// Reads the file of `--cookie-jar`, if there is one, and makes sure that it can be written at the end.
fn open_jar<'a>(
    jar: &CookieJar,
    given: &Path,
    outputs: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<PathBuf, Stop> {
    let name = given.display();
    if given.as_os_str() == "-" {
        return Err(Stop::usage(anyhow!("--cookie-jar goes to a file: standard output is for records")));
    }
    let broken =
        |error: io::Error| Stop::broken(anyhow!(error).context(format!("cannot write {name}, the cookie jar")));
    let path = resolve(given).map_err(broken)?;
    if outputs.into_iter().any(|other| resolve(other).is_ok_and(|it| it == path)) {
        return Err(Stop::usage(anyhow!("{name} is named as an output and as the cookie jar")));
    }
    match File::options().read(true).write(true).open(&path) {
        Ok(file) if !file.metadata().map_err(broken)?.is_file() => {
            let hint = "--cookie '' keeps cookies for this run alone";
            return Err(Stop::broken(anyhow!("the cookie jar {name} is no file")).with_hint(Some(hint.into())));
        }
        Ok(_) => {
            let text = fs::read(&path).map_err(broken)?;
            if let Some(bad) = jar.read(&text).first() {
                // It would be lost when the file is written.
                let hint = "mend the line or take it out; --cookie FILE reads a file and leaves it as it is";
                return Err(Stop::broken(anyhow!("the cookie jar {name}:{bad}")).with_hint(Some(hint.into())));
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(broken(error)),
    }
    beside(&path, MODE).map_err(broken)?;
    Ok(path)
}
