use super::*;

#[test]
fn a_guests_build_takes_nothing_over_from_the_build_of_xtask() {
    for name in ["CARGO", "CARGO_TARGET_DIR", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER", "RUSTFLAGS"] {
        assert!(is_of_outer_build(name), "{name}");
    }
}

#[test]
fn a_guests_build_keeps_what_the_user_said_about_the_network() {
    for name in [
        "CARGO_HOME",
        "CARGO_NET_OFFLINE",
        "CARGO_HTTP_PROXY",
        "CARGO_REGISTRIES_X_INDEX",
        "HOME",
        "RUSTUP_HOME",
    ] {
        assert!(!is_of_outer_build(name), "{name}");
    }
}

#[test]
fn only_debians_cargo_builds_the_standard_library() {
    let builds_std = |toolchain: Toolchain| {
        toolchain
            .cargo(["build"])
            .get_args()
            .any(|argument| argument.to_string_lossy().starts_with("-Zbuild-std"))
    };

    assert!(builds_std(Toolchain::Debian));
    assert!(!builds_std(Toolchain::Installed));
}
