use super::*;

#[test]
fn packages_are_installed_on_debian_by_root_alone() {
    let debian = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n";

    assert_eq!(installer_for(debian, Some("0")), Installer::Apt);
    assert_eq!(installer_for(debian, Some("1000")), Installer::NotRoot);
    assert_eq!(installer_for(debian, None), Installer::NotRoot);
    assert_eq!(installer_for("ID=fedora\n", Some("0")), Installer::NotDebian);
    assert_eq!(installer_for("", Some("0")), Installer::NotDebian);
}

#[test]
fn debians_compiler_is_installed_only_when_there_is_no_other() {
    let is_missing = |toolchain| missing_packages(toolchain).contains(&"rustc-web");

    assert!(is_missing(None));
    assert!(!is_missing(Some(Toolchain::Installed)));
}
