//! A module uses only the modules that `lib.rs` declares above it.

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The modules in the order of `lib.rs`.
fn layers() -> Vec<String> {
    let text = fs::read_to_string(Path::new(ROOT).join("src/lib.rs")).unwrap();
    let names = text.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    names.map(String::from).collect()
}

/// The files of a module.
fn files(module: &str) -> Vec<PathBuf> {
    let source = Path::new(ROOT).join("src");
    let (mut files, mut folders) = (vec![source.join(format!("{module}.rs"))], vec![source.join(module)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.retain(|file| file.exists());
    files
}

/// The modules that a line names: `crate::a`, `crate::{a, b::c}`.
fn named(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap_or_default();
    let name = |text: &str| text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let uses = code.match_indices("crate::").flat_map(|(at, found)| {
        let rest = &code[at + found.len()..];
        match rest.strip_prefix('{') {
            Some(group) => group.split(',').map(name).collect(),
            None => vec![name(rest)],
        }
    });
    uses.collect()
}

#[test]
fn imports_point_upwards_only() {
    let layers = layers();
    let mut checked = 0;
    for (place, module) in layers.iter().enumerate() {
        for file in files(module) {
            checked += 1;
            for (line, number) in fs::read_to_string(&file).unwrap().lines().zip(1..) {
                for used in named(line) {
                    let below = layers.iter().position(|layer| *layer == used).is_some_and(|other| other > place);
                    assert!(!below, "{}:{number}: {module} uses {used}, which lies below it", file.display());
                }
            }
        }
    }
    assert!(checked > layers.len(), "only {checked} files were found");
}

#[test]
fn every_module_of_the_library_is_a_layer() {
    let source = Path::new(ROOT).join("src");
    for entry in fs::read_dir(source).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(["lib", "main"].contains(&&*name) || layers().contains(&name), "{name} is not in lib.rs");
    }
}

#[test]
fn an_import_is_seen_in_each_of_its_forms() {
    assert_eq!(named("use crate::cli::args; // crate::x"), ["cli"]);
    assert_eq!(named("use crate::{fetch::Fetcher, page, sink::{a}};")[..2], ["fetch", "page"]);
    assert_eq!(named("    fn f(x: crate::job::Job) -> crate::value::Row {"), ["job", "value"]);
}
