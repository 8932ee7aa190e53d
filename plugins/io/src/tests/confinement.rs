use super::Folder;
use crate::IoError;

fn outside(result: &Result<tapline_pdk::Value, IoError>) -> bool {
    matches!(result, Err(IoError::Outside { .. }))
}

#[test]
fn a_path_out_of_the_folder_is_refused() {
    let folder = Folder::with("in.txt", "inside");
    for path in ["../in.txt", "a/../../in.txt", "/etc/hostname", "a/../in.txt"] {
        assert!(outside(&folder.read(&format!(r#"{{"path": "{path}", "format": "text"}}"#))), "{path}");
        assert!(
            outside(&folder.write(&format!(r#"{{"path": "{path}", "format": "text", "text": ""}}"#))),
            "{path}"
        );
    }
    assert_eq!(
        folder.read(r#"{"path": "../x.txt"}"#).unwrap_err().to_string(),
        "`../x.txt` leads out of the folder"
    );
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_out_of_the_folder_is_refused() {
    let (secret, folder) = (Folder::with("secret.txt", "secret"), Folder::new());
    let link = |to: &std::path::Path, name: &str| {
        std::os::unix::fs::symlink(to, folder.folder.path().join(name)).unwrap();
    };
    link(&secret.folder.path().join("secret.txt"), "absolute.txt");
    link(secret.folder.path(), "out");
    let relative =
        std::path::Path::new("..").join(secret.folder.path().file_name().unwrap()).join("secret.txt");
    link(&relative, "relative.txt");
    for path in ["absolute.txt", "relative.txt", "out/secret.txt"] {
        let read = folder.read(&format!(r#"{{"path": "{path}"}}"#));
        assert!(outside(&read), "{path}: {read:?}");
    }
    assert!(outside(&folder.write(r#"{"path": "out/new.txt", "text": "x"}"#)));
    assert!(outside(&folder.write(r#"{"path": "out/deep/new.txt", "text": "x"}"#)));
    assert_eq!(secret.names(), ["secret.txt"]);
}

#[cfg(unix)]
#[test]
fn writing_over_a_symbolic_link_replaces_the_link_alone() {
    let (secret, folder) = (Folder::with("secret.txt", "secret"), Folder::new());
    let target = secret.folder.path().join("secret.txt");
    std::os::unix::fs::symlink(&target, folder.folder.path().join("link.txt")).unwrap();
    folder.write(r#"{"path": "link.txt", "text": "mine"}"#).unwrap();
    assert_eq!(
        (folder.content("link.txt").as_str(), secret.content("secret.txt").as_str()),
        ("mine", "secret")
    );
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_within_the_folder_is_followed() {
    let folder = Folder::with("data.txt", "inside");
    std::os::unix::fs::symlink("data.txt", folder.folder.path().join("link.txt")).unwrap();
    assert_eq!(folder.read(r#"{"path": "link.txt"}"#).unwrap(), super::json(r#"{"text": "inside"}"#));
}

#[test]
fn what_the_system_refuses_keeps_its_reason() {
    use std::error::Error;
    let error = Folder::new().read(r#"{"path": "missing.txt"}"#).unwrap_err();
    assert_eq!(error.to_string(), "cannot read `missing.txt`");
    assert!(error.source().unwrap().to_string().contains("No such file"), "{error:?}");
    assert!(!error.is_retryable());
    assert!(matches!(Folder::new().read(r#"{"path": "", "format": "text"}"#), Err(IoError::Config { .. })));
    assert!(matches!(Folder::new().read(r#"{"path": ".", "format": "text"}"#), Err(IoError::Config { .. })));
}
