//! MNIST and CIFAR from where they are published, into the cache.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use receptive_layers::weights::{cache_folder, download};

use super::DataError;

/// A dataset that can be downloaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Published {
    /// 60,000 + 10,000 digits (LeCun, Cortes and Burges), 12 MB.
    Mnist,
    /// 50,000 + 10,000 photos of 10 classes (Krizhevsky 2009), 170 MB.
    Cifar10,
    /// 50,000 + 10,000 photos of 100 classes (Krizhevsky 2009), 169 MB.
    Cifar100,
}

/// A file under a base address, and its SHA-256.
struct Remote {
    name: &'static str,
    sha256: &'static str,
}

const MNIST: [Remote; 4] = [
    Remote {
        name: "train-images-idx3-ubyte.gz",
        sha256: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    },
    Remote {
        name: "train-labels-idx1-ubyte.gz",
        sha256: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    },
    Remote {
        name: "t10k-images-idx3-ubyte.gz",
        sha256: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    },
    Remote {
        name: "t10k-labels-idx1-ubyte.gz",
        sha256: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
];

const CIFAR_10: [Remote; 1] = [Remote {
    name: "cifar-10-binary.tar.gz",
    sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
}];

const CIFAR_100: [Remote; 1] = [Remote {
    name: "cifar-100-binary.tar.gz",
    sha256: "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
}];

/// Called as a download goes on with the file's name, the bytes so far, and in all if the server says.
pub type Report<'a> = &'a mut dyn FnMut(&str, u64, Option<u64>);

impl Published {
    fn files(self) -> &'static [Remote] {
        match self {
            Self::Mnist => &MNIST,
            Self::Cifar10 => &CIFAR_10,
            Self::Cifar100 => &CIFAR_100,
        }
    }

    /// Where the files are published.
    fn base(self) -> &'static str {
        match self {
            Self::Mnist => "https://ossci-datasets.s3.amazonaws.com/mnist",
            Self::Cifar10 | Self::Cifar100 => "https://www.cs.toronto.edu/~kriz",
        }
    }

    /// The folder of the dataset in the cache.
    fn folder(self) -> &'static str {
        match self {
            Self::Mnist => "mnist",
            Self::Cifar10 => "cifar-10",
            Self::Cifar100 => "cifar-100",
        }
    }

    /// The folder with the dataset's files, downloaded into the cache if it is not there: checked by
    /// their SHA-256 before anything appears.
    ///
    /// # Errors
    ///
    /// [`DataError`] says what is in the way.
    pub fn fetch(self, report: Report<'_>) -> Result<PathBuf, DataError> {
        let cache = cache_folder()?.join("data");
        get(
            self.base(),
            self.files(),
            &cache.join(self.folder()),
            report,
        )
    }
}

/// The files of `base` in `folder`; an archive's files are unpacked into it.
fn get(
    base: &str,
    files: &[Remote],
    folder: &Path,
    report: Report<'_>,
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
    // The folder appears with all its files, or not at all.
    let scratch = tempfile::Builder::new()
        .prefix(".receptive-")
        .tempdir_in(parent)
        .map_err(failed(parent))?;
    for Remote { name, sha256 } in files {
        let path = scratch.path().join(name);
        let url = format!("{base}/{name}");
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

/// The files of the archive in `folder`, whatever folders the archive has them in.
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

    /// The address of a server that answers every request with `body`; it goes with the test.
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

    /// A gzipped archive of `data/one.bin`.
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

    fn remote(sha256: &'static str) -> [Remote; 1] {
        [Remote {
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
        let found = get(&address, &remote(""), &folder, &mut report).expect("fetched");
        assert_eq!(fs::read(found.join("one.bin")).expect("unpacked"), b"bytes");
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 1);
        let total = Some(archive().len() as u64);
        assert_eq!(
            reports.last(),
            Some(&("data.tar.gz".to_owned(), archive().len() as u64, total))
        );
        let again = get(
            "http://127.0.0.1:9",
            &remote(""),
            &folder,
            &mut |_, _, _| {},
        );
        assert_eq!(again.expect("cached"), folder);
    }

    #[test]
    fn a_file_that_is_another_leaves_nothing() {
        let cache = tempfile::tempdir().expect("a folder");
        let folder = cache.path().join("data/small");
        let address = serve(archive());
        let wrong = get(&address, &remote("00000000"), &folder, &mut |_, _, _| {});
        let told = wrong.expect_err("another file").to_string();
        assert!(
            told.contains("SHA-256") && told.contains("data.tar.gz"),
            "{told}"
        );
        assert_eq!(
            fs::read_dir(cache.path().join("data"))
                .expect("a folder")
                .count(),
            0
        );
    }

    #[test]
    fn a_server_that_is_not_there_is_named() {
        let cache = tempfile::tempdir().expect("a folder");
        let folder = cache.path().join("small");
        let failed = get("http://127.0.0.1:9", &MNIST, &folder, &mut |_, _, _| {});
        let told = failed.expect_err("nobody answers").to_string();
        assert!(
            told.contains("http://127.0.0.1:9/train-images-idx3-ubyte.gz"),
            "{told}"
        );
        assert!(!folder.exists());
    }
}
