//! Finding and downloading of checkpoints, and errors of both.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::preprocessing::Preprocessing;
use crate::weights::download::{MAX_BYTES, download};
use crate::weights::{Checkpoint, FindError, FindOptions, Source, find};

/// An HTTP server that sends one response to every request and counts the requests; the server runs
/// until the test process ends.
struct Server {
    address: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    fn answering(response: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!(
            "http://{}/files/weights.pth",
            listener.local_addr().expect("an address")
        );
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("a connection");
                counter.fetch_add(1, Ordering::SeqCst);
                let mut lines = BufReader::new(stream.try_clone().expect("a handle")).lines();
                while lines
                    .next()
                    .is_some_and(|line| !line.expect("a line").is_empty())
                {}
                stream.write_all(&response).expect("sent");
            }
        });
        Self { address, requests }
    }
}

fn response(status: &str, announced: usize, body: &[u8]) -> Vec<u8> {
    let mut response =
        format!("HTTP/1.1 {status}\r\nContent-Length: {announced}\r\nConnection: close\r\n\r\n")
            .into_bytes();
    response.extend(body);
    response
}

/// SHA-256 of [`body`], computed by `sha256sum`.
const SHA256: &str = "44c500bfc44a3b4c2630f1d197840ca53b27ca0aeef61c982190a7f938d899b3";

fn body() -> Vec<u8> {
    b"weights".repeat(40_000)
}

/// Returns the number of files in `folder`; 0 if the folder does not exist.
fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

fn checkpoint(url: &str, sha256: &'static str) -> Checkpoint {
    Checkpoint {
        tag: "TEST",
        source: Source::Torchvision,
        // The address is known at run time, and the field is `'static`.
        url: Box::leak(url.to_owned().into_boxed_str()),
        sha256,
        parameters: 0,
        top1: 0.0,
        top5: 0.0,
        preprocessing: Preprocessing::IMAGENET,
    }
}

#[test]
fn a_file_is_downloaded_once_with_progress_calls() {
    let folder = tempfile::tempdir().expect("a folder");
    let cache = folder.path().join("not/yet/there");
    let body = body();
    let server = Server::answering(response("200 OK", body.len(), &body));
    for sha256 in [&SHA256[..8], SHA256, ""] {
        let _ = fs::remove_dir_all(&cache);
        let mut calls = Vec::new();
        let found = find(
            &checkpoint(&server.address, sha256),
            FindOptions {
                cache: Some(&cache),
                progress: Some(&mut |done, total| calls.push((done, total))),
                ..FindOptions::default()
            },
        )
        .expect("found");
        assert_eq!(found, cache.join("weights.pth"));
        assert_eq!(fs::read(&found).expect("read"), body);
        assert_eq!(entries(&cache), 1);
        let len = body.len() as u64;
        assert_eq!(calls.first(), Some(&(0, Some(len))));
        assert_eq!(calls.last(), Some(&(len, Some(len))));
        assert!(calls.is_sorted());
    }
    assert_eq!(server.requests.load(Ordering::SeqCst), 3);
    for offline in [false, true] {
        find(
            &checkpoint(&server.address, SHA256),
            FindOptions {
                cache: Some(&cache),
                offline,
                ..FindOptions::default()
            },
        )
        .expect("cached");
    }
    assert_eq!(
        server.requests.load(Ordering::SeqCst),
        3,
        "no more requests"
    );
}

#[test]
fn a_damaged_file_in_the_cache_is_named_with_what_to_do() {
    let cache = tempfile::tempdir().expect("a folder");
    let path = cache.path().join("weights.pth");
    let checkpoint = checkpoint("https://files.example/weights.pth", &SHA256[..8]);
    let options = || FindOptions {
        cache: Some(cache.path()),
        offline: true,
        ..FindOptions::default()
    };
    fs::write(&path, body()).expect("written");
    for _ in 0..2 {
        assert_eq!(find(&checkpoint, options()).expect("verified"), path);
    }
    let mut cut = body();
    cut.pop();
    fs::write(&path, cut).expect("written");
    for _ in 0..2 {
        let error = find(&checkpoint, options()).unwrap_err();
        assert!(matches!(error, FindError::Damaged { .. }), "{error}");
        let delete = format!("delete {} and run again", path.display());
        assert!(error.to_string().ends_with(&delete), "{error}");
    }
}

#[test]
fn an_address_that_is_not_https_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.pth");
    // The address of all interfaces, which is not that of this machine by name.
    let body = body();
    let server = Server::answering(response("200 OK", body.len(), &body));
    let other = server.address.replace("127.0.0.1", "0.0.0.0");
    let redirect = format!(
        "HTTP/1.1 302 Found\r\nLocation: {other}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    );
    let redirecting = Server::answering(redirect.into_bytes());
    for url in [&other, &redirecting.address] {
        let error = download(url, "", &path, &mut |_, _| {}).unwrap_err();
        let expected = format!("the address {other} is not https");
        assert!(
            matches!(&error, FindError::Unavailable { reason, .. } if *reason == expected),
            "{error}"
        );
        assert_eq!(entries(folder.path()), 0);
    }
    let within = format!(
        "HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        server.address
    );
    let redirecting = Server::answering(within.into_bytes());
    download(&redirecting.address, SHA256, &path, &mut |_, _| {}).expect("on this machine");
}

#[test]
fn a_file_over_the_limit_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.pth");
    let length = usize::try_from(MAX_BYTES).expect("64 bits") + 1;
    let server = Server::answering(response("200 OK", length, b"start"));
    let error = download(&server.address, "", &path, &mut |_, _| {}).unwrap_err();
    assert!(matches!(error, FindError::TooLarge { .. }), "{error}");
    assert!(error.to_string().contains("more than 1024 MiB"), "{error}");
    assert_eq!(entries(folder.path()), 0);
}

#[test]
fn two_downloads_of_one_file_both_end_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let body = body();
    let server = Server::answering(response("200 OK", body.len(), &body));
    let checkpoint = checkpoint(&server.address, SHA256);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let found = find(
                    &checkpoint,
                    FindOptions {
                        cache: Some(folder.path()),
                        ..FindOptions::default()
                    },
                )
                .expect("found");
                assert_eq!(fs::read(found).expect("read"), body);
            });
        }
    });
    for entry in fs::read_dir(folder.path()).expect("a folder") {
        let name = entry.expect("an entry").file_name();
        assert!(name == "weights.pth" || name == ".verified", "{name:?}");
    }
}

#[test]
fn an_interrupted_download_reports_the_received_bytes_and_leaves_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.pth");
    let body = body();
    let half = &body[..body.len() / 2];
    let server = Server::answering(response("200 OK", body.len(), half));
    let error = download(&server.address, SHA256, &path, &mut |_, _| {}).unwrap_err();
    assert!(
        matches!(&error, FindError::Interrupted { received, expected, .. }
            if *received == half.len() as u64 && *expected == Some(body.len() as u64)),
        "{error}"
    );
    assert_eq!(entries(folder.path()), 0);
}

#[test]
fn a_wrong_hash_is_reported_and_the_file_is_deleted() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("weights.pth");
    let body = body();
    let server = Server::answering(response("200 OK", body.len(), &body));
    let error = download(&server.address, "deadbeef", &path, &mut |_, _| {}).unwrap_err();
    assert!(
        matches!(&error, FindError::Hash { expected, found, .. }
            if expected == "deadbeef" && found == SHA256),
        "{error}"
    );
    assert_eq!(entries(folder.path()), 0);
}

#[test]
fn an_unavailable_file_is_reported_with_its_path_in_the_cache() {
    let folder = tempfile::tempdir().expect("a folder");
    let absent = Server::answering(response("404 Not Found", 0, b""));
    let refused = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        format!("http://{address}/files/weights.pth")
    };
    for (url, offline, reason) in [
        (&absent.address, false, "404"),
        (&refused, false, "refused"),
        (&refused, true, "downloads are disabled"),
    ] {
        let error = find(
            &checkpoint(url, ""),
            FindOptions {
                cache: Some(folder.path()),
                offline,
                ..FindOptions::default()
            },
        )
        .unwrap_err();
        assert!(matches!(error, FindError::Unavailable { .. }), "{error}");
        let message = error.to_string();
        let cached = folder.path().join("weights.pth");
        for part in [url, reason, &cached.display().to_string()] {
            assert!(message.contains(part), "{part} is not in {message}");
        }
        assert_eq!(entries(folder.path()), 0);
    }
}

#[test]
fn a_given_file_is_preferred_to_the_cache_and_a_download() {
    let folder = tempfile::tempdir().expect("a folder");
    let given = folder.path().join("mine.pth");
    let options = || FindOptions {
        file: Some(&given),
        ..FindOptions::default()
    };
    let checkpoint = checkpoint("http://127.0.0.1:9/weights.pth", "");
    let error = find(&checkpoint, options()).unwrap_err();
    assert!(matches!(error, FindError::NoFile { .. }), "{error}");
    fs::write(&given, "mine").expect("written");
    assert_eq!(find(&checkpoint, options()).expect("found"), given);
}
