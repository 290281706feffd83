//! Which files a command looks at: those that are named, and all below folders that are.
//!
//! Always: sorted; hidden files below a folder count (a secret is likeliest in `.env`), `.git`
//! does not; links are not followed below a folder; a file that is named itself is looked at,
//! whatever patterns say.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

use crate::error::{Error, Result};

/// In a folder that is named: one pattern a line, relative to it, of what is not looked at.
pub const IGNORE_FILE: &str = ".gristmillignore";

const MATCH: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// All files, in order.
pub fn files(named: &[PathBuf], excluded: &[String]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in named {
        let kind = std::fs::metadata(path).map_err(|err| Error::reading(path.display(), &err))?;
        if !kind.is_dir() {
            files.push(path.clone());
            continue;
        }
        let mut patterns = patterns("--exclude", excluded.iter().map(String::as_str))?;
        let ignore = path.join(IGNORE_FILE);
        if let Ok(text) = std::fs::read_to_string(&ignore) {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            patterns.extend(self::patterns(&ignore.display().to_string(), lines)?);
        }
        below(path, path, &patterns, &mut files)?;
    }
    Ok(files)
}

fn patterns<'a>(place: &str, written: impl Iterator<Item = &'a str>) -> Result<Vec<Pattern>> {
    let wrong =
        |err: glob::PatternError, one: &str| Error::Usage(format!("{place}: {one:?} is no pattern: {}", err.msg));
    written.map(|one| Pattern::new(one.trim_end_matches('/')).map_err(|err| wrong(err, one))).collect()
}

fn below(root: &Path, folder: &Path, patterns: &[Pattern], files: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |err: std::io::Error| Error::reading(folder.display(), &err);
    let mut entries =
        std::fs::read_dir(folder).map_err(failed)?.collect::<std::io::Result<Vec<_>>>().map_err(failed)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, kind) = (entry.path(), entry.file_type().map_err(failed)?);
        let inside = path.strip_prefix(root).unwrap_or(&path);
        if entry.file_name() == ".git" || patterns.iter().any(|one| one.matches_path_with(inside, MATCH)) {
            continue;
        }
        if kind.is_dir() {
            below(root, &path, patterns, files)?;
        } else if kind.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_walked_in_order_without_what_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.txt", "a/x.txt", "a/y.log", "a/deep/z.txt", ".env", ".git/config", "skip/me.txt"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "x").unwrap();
        }
        std::fs::write(folder.path().join(IGNORE_FILE), "# comment\nskip/\n**/*.log\n").unwrap();
        let listed = |named: &[PathBuf], excluded: &[&str]| -> Vec<String> {
            let excluded: Vec<String> = excluded.iter().map(|one| (*one).to_owned()).collect();
            let found = files(named, &excluded).unwrap();
            found.iter().map(|path| path.strip_prefix(folder.path()).unwrap().display().to_string()).collect()
        };
        let root = [folder.path().to_owned()];
        assert_eq!(listed(&root, &[]), [".env", ".gristmillignore", "a/deep/z.txt", "a/x.txt", "b.txt"]);
        assert_eq!(listed(&root, &["a", ".*"]), ["b.txt"]);
        assert_eq!(listed(&[folder.path().join("a/y.log")], &["**/*.log"]), ["a/y.log"]);
        assert!(files(&[folder.path().join("gone")], &[]).is_err());
        assert!(files(&root, &["[".to_owned()]).is_err());
    }
}
