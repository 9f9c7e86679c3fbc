//! Listing of the image files in a folder.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::decode::{EXTENSIONS, OTHER_EXTENSIONS};

/// The image files in a folder and its sub-folders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    /// Paths of the images, sorted by the names of folders and files.
    pub images: Vec<PathBuf>,
    /// Entries of the folder that are no images, by kind.
    pub left_out: LeftOut,
}

/// Numbers of the entries of a folder that a [`Listing`] leaves out, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LeftOut {
    /// Files and folders whose name starts with a dot; the content of such a folder is not counted.
    pub hidden: usize,
    /// Files without the extension of an image.
    pub not_images: usize,
    /// Pipes, sockets and devices, which are never opened.
    pub special: usize,
    /// Links to a folder that contains them, and links to nothing.
    pub links: usize,
}

impl LeftOut {
    /// Whether nothing is left out.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl std::ops::AddAssign for LeftOut {
    fn add_assign(&mut self, other: Self) {
        self.hidden += other.hidden;
        self.not_images += other.not_images;
        self.special += other.special;
        self.links += other.links;
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            (self.not_images, "not an image", "not images"),
            (self.hidden, "hidden", "hidden"),
            (self.special, "a pipe or device", "pipes or devices"),
            (
                self.links,
                "a broken or circular link",
                "broken or circular links",
            ),
        ];
        let mut separator = "";
        for (count, one, several) in kinds {
            if count > 0 {
                let what = if count == 1 { one } else { several };
                write!(f, "{separator}{count} {what}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

/// A folder cannot be listed.
#[derive(Debug, thiserror::Error)]
#[error("cannot list the folder {}: {reason}", path.display())]
pub struct ListError {
    /// The folder, or the folder in it that cannot be read.
    pub path: PathBuf,
    /// The error of the operating system.
    pub reason: io::Error,
}

/// Lists the image files in `folder` and in its sub-folders, by their extensions in any case. Links are
/// followed. The order is that of the names, whatever the file system.
///
/// # Errors
///
/// [`ListError`] names the folder that cannot be read.
pub fn list(folder: impl AsRef<Path>) -> Result<Listing, ListError> {
    let folder = folder.as_ref();
    let mut listing = Listing::default();
    let left_out = &mut listing.left_out;
    let mut entries = WalkDir::new(folder)
        .follow_links(true)
        .sort_by_file_name()
        .into_iter();
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) if error.depth() > 0 && is_broken_link(&error) => {
                left_out.links += 1;
                continue;
            }
            Err(error) => {
                return Err(ListError {
                    path: error.path().unwrap_or(folder).to_owned(),
                    reason: error.into(),
                });
            }
        };
        if entry.depth() == 0 {
            continue;
        }
        let kind = entry.file_type();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            left_out.hidden += 1;
            if kind.is_dir() {
                entries.skip_current_dir();
            }
        } else if kind.is_dir() {
            // Its content follows.
        } else if !kind.is_file() {
            left_out.special += 1;
        } else if has_image_extension(entry.path()) {
            listing.images.push(entry.into_path());
        } else {
            left_out.not_images += 1;
        }
    }
    Ok(listing)
}

/// Whether the error is a link to one of its own ancestors, or to nothing.
fn is_broken_link(error: &walkdir::Error) -> bool {
    let missing = || {
        let link = error.path().and_then(|path| path.symlink_metadata().ok());
        link.is_some_and(|link| link.is_symlink())
    };
    error.loop_ancestor().is_some() || missing()
}

/// Whether the extension of `path` is that of an image file, in any case. The file may still be of a
/// format that [`decode`](super::decode) refuses by its name.
pub fn has_image_extension(path: &Path) -> bool {
    let Some(extension) = path.extension().and_then(|extension| extension.to_str()) else {
        return false;
    };
    let mut known = EXTENSIONS.iter().chain(OTHER_EXTENSIONS);
    known.any(|known| known.eq_ignore_ascii_case(extension))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn names(listing: &Listing, folder: &Path) -> Vec<String> {
        let inside = |path: &PathBuf| path.strip_prefix(folder).unwrap().to_owned();
        let text = |path: PathBuf| path.to_str().unwrap().replace('\\', "/");
        listing.images.iter().map(inside).map(text).collect()
    }

    #[test]
    fn sub_folders_are_walked_and_other_entries_counted() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for sub in ["b/deep", ".git", "a"] {
            fs::create_dir_all(path(sub)).unwrap();
        }
        for file in [
            "b/deep/2.JFIF",
            "b/1.png",
            "a/9.tiff",
            "z.avif",
            "c.pgm",
            "._c.pgm",
            ".git/x.png",
            "notes.txt",
            "noextension",
        ] {
            fs::write(path(file), "").unwrap();
        }
        let listing = list(folder.path()).unwrap();
        assert_eq!(
            names(&listing, folder.path()),
            ["a/9.tiff", "b/1.png", "b/deep/2.JFIF", "c.pgm", "z.avif"]
        );
        let expected = LeftOut {
            hidden: 2,
            not_images: 2,
            ..LeftOut::default()
        };
        assert_eq!(listing.left_out, expected);
        assert_eq!(expected.to_string(), "2 not images, 2 hidden");
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_circular_links_are_left_out() {
        use std::os::unix::{fs::symlink, net::UnixListener};

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir(path("sub")).unwrap();
        fs::write(path("sub/1.png"), "").unwrap();
        symlink(folder.path(), path("sub/loop")).unwrap();
        symlink(path("nothing"), path("broken.png")).unwrap();
        symlink(path("sub/1.png"), path("linked.png")).unwrap();
        let _socket = UnixListener::bind(path("socket.png")).unwrap();
        let listing = list(folder.path()).unwrap();
        assert_eq!(names(&listing, folder.path()), ["linked.png", "sub/1.png"]);
        let expected = LeftOut {
            special: 1,
            links: 2,
            ..LeftOut::default()
        };
        assert_eq!(listing.left_out, expected);
    }

    #[test]
    fn a_folder_that_cannot_be_listed_is_named() {
        let error = list("no/such/folder").unwrap_err().to_string();
        assert!(error.contains("no/such/folder"), "{error}");
    }
}
