//! Downloads of MNIST and CIFAR into the dataset cache.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use receptive_layers::scratch::ScratchFolder;
use receptive_layers::weights::{FindError, cache_folder, download, verify, verify_folder};

use super::error::DataError;

/// Public dataset that can be downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicDataset {
    /// MNIST: 60,000 + 10,000 digits (LeCun, Cortes and Burges), 12 MB.
    Mnist,
    /// CIFAR-10: 50,000 + 10,000 photos of 10 classes (Krizhevsky 2009), 170 MB.
    Cifar10,
    /// CIFAR-100: 50,000 + 10,000 photos of 100 classes (Krizhevsky 2009), 169 MB.
    Cifar100,
}

/// Largest unpacked archive, in bytes: 1 GiB, five times the size of CIFAR.
const MAX_UNPACKED: u64 = 1 << 30;

/// File below a base URL.
struct RemoteFile {
    name: &'static str,
    /// SHA-256 of the file, hexadecimal.
    sha256: &'static str,
}

const MNIST: [RemoteFile; 4] = [
    RemoteFile {
        name: "train-images-idx3-ubyte.gz",
        sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    },
    RemoteFile {
        name: "train-labels-idx1-ubyte.gz",
        sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    },
    RemoteFile {
        name: "t10k-images-idx3-ubyte.gz",
        sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    },
    RemoteFile {
        name: "t10k-labels-idx1-ubyte.gz",
        sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
];

const CIFAR_10: [RemoteFile; 1] = [RemoteFile {
    name: "cifar-10-binary.tar.gz",
    sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
}];

const CIFAR_100: [RemoteFile; 1] = [RemoteFile {
    name: "cifar-100-binary.tar.gz",
    sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
}];

/// Progress callback of a download. The arguments are the file name, the bytes received so far, and
/// the total bytes if the server sends them.
pub type DownloadProgress<'a> = &'a mut dyn FnMut(&str, u64, Option<u64>);

impl PublicDataset {
    /// The files of the dataset.
    fn files(self) -> &'static [RemoteFile] {
        match self {
            Self::Mnist => &MNIST,
            Self::Cifar10 => &CIFAR_10,
            Self::Cifar100 => &CIFAR_100,
        }
    }

    /// Base URL of the files.
    fn base_url(self) -> &'static str {
        match self {
            Self::Mnist => "https://ossci-datasets.s3.amazonaws.com/mnist",
            Self::Cifar10 | Self::Cifar100 => "https://www.cs.toronto.edu/~kriz",
        }
    }

    /// Name of the dataset's folder in the cache.
    fn folder(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::Cifar10 => "cifar-10",
            Self::Cifar100 => "cifar-100",
        }
    }

    /// Returns the folder with the dataset's files. If the cache does not contain the folder, the
    /// files are downloaded and their SHA-256 is verified before the folder is created. Files in the
    /// cache that have changed since then are verified again.
    ///
    /// # Errors
    ///
    /// [`DataError`] when the download, the verification or a write to the cache fails, or when a
    /// file in the cache is damaged.
    pub fn fetch(self, report: DownloadProgress<'_>) -> Result<PathBuf, DataError> {
        let cache = cache_folder()?.join("data");
        download_files(
            self.base_url(),
            self.files(),
            &cache.join(self.folder()),
            report,
        )
    }
}

/// Downloads `files` from `base_url` into `folder`, unless the folder exists. Archives are
/// unpacked.
fn download_files(
    base_url: &str,
    files: &[RemoteFile],
    folder: &Path,
    report: DownloadProgress<'_>,
) -> Result<PathBuf, DataError> {
    if folder.is_dir() {
        check_files(files, folder)?;
        return Ok(folder.to_owned());
    }
    let failed = |source| DataError::Cache {
        path: folder.to_owned(),
        source,
    };
    let parent = folder.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(failed)?;
    // A temporary folder is renamed at the end, so the cache never contains a partial dataset. If
    // another process finishes first, its folder is used.
    let scratch = ScratchFolder::create_in(parent).map_err(failed)?;
    for RemoteFile { name, sha256 } in files {
        let path = scratch.path().join(name);
        let url = format!("{base_url}/{name}");
        let mut progress = |done: u64, total: Option<u64>| report(name, done, total);
        download(&url, sha256, &path, &mut progress)
            .map_err(|error| without_scratch_path(error, name, folder))?;
        if is_archive(name) {
            unpack(&path, scratch.path()).map_err(|source| DataError::Unpack {
                url,
                folder: folder.to_owned(),
                source,
            })?;
            fs::remove_file(&path).map_err(failed)?;
        }
    }
    scratch.persist(folder).map_err(failed)?;
    Ok(folder.to_owned())
}

fn is_archive(name: &str) -> bool {
    name.ends_with(".tar.gz")
}

/// Verifies the files of a dataset in the cache.
fn check_files(files: &[RemoteFile], folder: &Path) -> Result<(), DataError> {
    let published = files.iter().filter(|file| !is_archive(file.name));
    let mut checks = published.map(|file| verify(&folder.join(file.name), file.sha256));
    checks
        .try_for_each(|check| check)
        .and_then(|()| verify_folder(folder))
        .map_err(|error| {
            let (FindError::Damaged { path, .. } | FindError::Read { path, .. }) = error else {
                return error.into();
            };
            DataError::Damaged {
                folder: folder.to_owned(),
                path,
            }
        })
}

/// Replaces the path in the scratch folder by the final one in the error of a download.
fn without_scratch_path(error: FindError, name: &str, folder: &Path) -> DataError {
    match error {
        FindError::Unavailable { url, reason, .. } => DataError::Unavailable {
            url,
            folder: folder.to_owned(),
            action: if is_archive(name) { "unpack" } else { "save" },
            reason,
        },
        FindError::Cache { source, .. } => DataError::Cache {
            path: folder.join(name),
            source,
        },
        error => error.into(),
    }
}

/// Unpacks the files of a gzipped tar archive into `folder`, without the folders of the archive, and
/// records their hashes.
fn unpack(archive: &Path, folder: &Path) -> io::Result<()> {
    let unpacked = GzDecoder::new(File::open(archive)?).take(MAX_UNPACKED);
    let mut archive = tar::Archive::new(unpacked);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if let (true, Some(name)) = (entry.header().entry_type().is_file(), path.file_name()) {
            let path = folder.join(name);
            let mut file = File::create(&path)?;
            io::copy(&mut entry, &mut file)?;
            file.sync_all()?;
            verify(&path, "").map_err(io::Error::other)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;
    use std::thread;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    /// Starts a server that answers every request with `body`, and returns its URL. Its thread ends
    /// with the test process.
    fn serve(body: Vec<u8>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}/data", listener.local_addr().expect("bound"));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                let mut lines = BufReader::new(stream.try_clone().expect("a handle")).lines();
                while lines
                    .next()
                    .is_some_and(|line| !line.expect("text").is_empty())
                {}
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
                stream.write_all(head.as_bytes()).expect("sent");
                stream.write_all(&body).expect("sent");
            }
        });
        address
    }

    /// Returns a gzipped tar archive of `data/one.bin`.
    fn archive() -> Vec<u8> {
        let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        let mut header = tar::Header::new_gnu();
        header.set_size(5);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, "data/one.bin", &b"bytes"[..])
            .expect("packed");
        let encoder = builder.into_inner().expect("packed");
        encoder.finish().expect("packed")
    }

    fn remote(sha256: &'static str) -> [RemoteFile; 1] {
        [RemoteFile {
            name: "data.tar.gz",
            sha256,
        }]
    }

    #[test]
    fn an_archive_is_fetched_once_and_unpacked() {
        let cache = tempfile::tempdir().expect("a folder");
        let folder = cache.path().join("data/small");
        let address = serve(archive());
        let mut reports = Vec::new();
        let mut report = |name: &str, done: u64, total: Option<u64>| {
            reports.push((name.to_owned(), done, total));
        };
        let found = download_files(&address, &remote(""), &folder, &mut report).expect("fetched");
        assert_eq!(fs::read(found.join("one.bin")).expect("unpacked"), b"bytes");
        // The file, and the list of its hash.
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 2);
        let total = Some(archive().len() as u64);
        assert_eq!(
            reports.last(),
            Some(&("data.tar.gz".to_owned(), archive().len() as u64, total))
        );
        let again = download_files(
            "http://127.0.0.1:9",
            &remote(""),
            &folder,
            &mut |_, _, _| {},
        );
        assert_eq!(again.expect("cached"), folder);
        fs::write(found.join("one.bin"), "other").expect("written");
        let damaged = download_files(&address, &remote(""), &folder, &mut |_, _, _| {});
        let message = damaged.expect_err("damaged").to_string();
        let expected = format!("delete {} and run again", folder.display());
        assert!(message.ends_with(&expected), "{message}");
    }

    #[test]
    fn downloads_at_the_same_time_all_end_well_and_leave_one_folder() {
        let cache = tempfile::tempdir().expect("a folder");
        let folder = cache.path().join("data/small");
        let address = serve(archive());
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let found = download_files(&address, &remote(""), &folder, &mut |_, _, _| {});
                    let found = found.expect("fetched");
                    assert_eq!(fs::read(found.join("one.bin")).expect("unpacked"), b"bytes");
                });
            }
        });
        let parent = cache.path().join("data");
        assert_eq!(fs::read_dir(parent).expect("a folder").count(), 1);
    }

    #[test]
    fn a_damaged_archive_names_the_folder_and_leaves_nothing() {
        let cache = tempfile::tempdir().expect("a folder");
        let folder = cache.path().join("data/small");
        let mut cut = archive();
        cut.truncate(cut.len() / 2);
        let address = serve(cut);
        let failed = download_files(&address, &remote(""), &folder, &mut |_, _, _| {});
        let message = failed.expect_err("cut").to_string();
        assert!(
            message.contains("data/small") && !message.contains(".part"),
            "{message}"
        );
        let parent = cache.path().join("data");
        assert_eq!(fs::read_dir(parent).expect("a folder").count(), 0);
    }

    #[test]
    fn a_wrong_sha256_leaves_no_files() {
        let cache = tempfile::tempdir().expect("a folder");
        let folder = cache.path().join("data/small");
        let address = serve(archive());
        let wrong = download_files(&address, &remote("00000000"), &folder, &mut |_, _, _| {});
        let message = wrong.expect_err("a wrong hash").to_string();
        assert!(
            message.contains("SHA-256") && message.contains("data.tar.gz"),
            "{message}"
        );
        assert_eq!(
            fs::read_dir(cache.path().join("data"))
                .expect("a folder")
                .count(),
            0
        );
    }

    #[test]
    fn an_unreachable_server_is_named_in_the_error() {
        let cache = tempfile::tempdir().expect("a folder");
        let folder = cache.path().join("small");
        let failed = download_files("http://127.0.0.1:9", &MNIST, &folder, &mut |_, _, _| {});
        let message = failed.expect_err("no server").to_string();
        assert!(
            message.contains("http://127.0.0.1:9/train-images-idx3-ubyte.gz"),
            "{message}"
        );
        let expected = format!("save it in {}", folder.display());
        assert!(
            message.contains(&expected) && !message.contains(".part"),
            "{message}"
        );
        assert!(!folder.exists());
    }
}
