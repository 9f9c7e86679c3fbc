//! Downloads of MNIST and CIFAR into the dataset cache.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use receptive_layers::weights::{cache_folder, download};

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
    /// files are downloaded and their SHA-256 is verified before the folder is created.
    ///
    /// # Errors
    ///
    /// [`DataError`] when the download, the verification or a write to the cache fails.
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
        return Ok(folder.to_owned());
    }
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| DataError::Cache { path, source }
    };
    let parent = folder.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(failed(parent))?;
    // A temporary folder is renamed at the end, so the cache never contains a partial dataset.
    let scratch = tempfile::Builder::new()
        .prefix(".receptive-")
        .tempdir_in(parent)
        .map_err(failed(parent))?;
    for RemoteFile { name, sha256 } in files {
        let path = scratch.path().join(name);
        let url = format!("{base_url}/{name}");
        let mut progress = |done: u64, total: Option<u64>| report(name, done, total);
        download(&url, sha256, &path, &mut progress)?;
        if name.ends_with(".tar.gz") {
            unpack(&path, scratch.path()).map_err(failed(&path))?;
            fs::remove_file(&path).map_err(failed(&path))?;
        }
    }
    let finished = scratch.keep();
    fs::rename(&finished, folder).map_err(failed(folder))?;
    Ok(folder.to_owned())
}

/// Unpacks the files of a gzipped tar archive into `folder`, without the folders of the archive.
fn unpack(archive: &Path, folder: &Path) -> io::Result<()> {
    let mut archive = tar::Archive::new(GzDecoder::new(File::open(archive)?));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        if let (true, Some(name)) = (entry.header().entry_type().is_file(), path.file_name()) {
            let mut file = File::create(folder.join(name))?;
            io::copy(&mut entry, &mut file)?;
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
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 1);
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
        assert!(!folder.exists());
    }
}
