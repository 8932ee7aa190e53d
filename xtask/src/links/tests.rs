use super::*;

/// Checks README.md with this text, beside `docs/guide.md` and `docs/other.txt`, and compares the dead links.
#[track_caller]
fn check(readme: &str, expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    let guide = "# The guide\n\n## `run` & stop\n\n## Twice\n\n## Twice\n\n<a id=\"by-hand\"></a>\n\n[up](../README.md)\n";
    fs::create_dir(root.join("docs")).unwrap();
    fs::write(root.join("docs/guide.md"), guide).unwrap();
    fs::write(root.join("docs/README.md"), "[guide](guide.md)\n").unwrap();
    fs::write(root.join("docs/other.txt"), "").unwrap();
    fs::write(root.join("README.md"), readme).unwrap();

    let found = run(root).map_or_else(|error| error.to_string(), |()| String::new());

    let found: Vec<&str> = found.lines().skip(1).map(str::trim).collect();
    assert_eq!(found, expected);
}

#[test]
fn links_that_lead_somewhere_are_fine() {
    check("[a](docs/guide.md) [b](./docs/other.txt) [c](/docs/) ![d](docs/other.txt)", &[]);
}

#[test]
fn a_missing_file_is_reported_with_its_line() {
    check("# Hello\n\n[a](docs/none.md)\n", &["README.md:3: docs/none.md: there is no docs/none.md"]);
}

#[test]
fn anchors_are_made_of_headings_as_github_does() {
    check("[a](docs/guide.md#the-guide) [b](docs/guide.md#run--stop) [c](docs/guide.md#twice-1)", &[]);
}

#[test]
fn an_anchor_written_by_hand_counts() {
    check("[a](docs/guide.md#by-hand)", &[]);
}

#[test]
fn a_missing_anchor_is_reported() {
    let expected = "README.md:1: docs/guide.md#gone: no heading of docs/guide.md has that anchor";
    check("[a](docs/guide.md#gone)", &[expected]);
}

#[test]
fn an_anchor_of_the_same_document_is_looked_up_there() {
    check(
        "# Here\n\n[a](#here) [b](#there)",
        &["README.md:3: #there: no heading of README.md has that anchor"],
    );
}

#[test]
fn a_link_by_reference_is_followed() {
    check("[a][one]\n\n[one]: docs/none.md\n", &["README.md:1: docs/none.md: there is no docs/none.md"]);
}

#[test]
fn a_link_out_of_the_repository_is_dead_even_if_the_file_is_there() {
    check("[a](../../etc/passwd)", &["README.md:1: ../../etc/passwd: it leaves the repository"]);
}

#[test]
fn other_sites_are_not_visited() {
    check("[a](https://example.org/x.md#y) <mailto:someone@example.org> [b](//example.org)", &[]);
}

#[test]
fn code_is_not_searched_for_links() {
    check("`[a](none.md)`\n\n```\n[b](none.md)\n```\n", &[]);
}

#[test]
fn a_page_of_the_docs_that_the_table_of_contents_leaves_out_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    fs::create_dir_all(root.join("docs/reference")).unwrap();
    for page in ["docs/guide.md", "docs/reference/contract.md"] {
        fs::write(root.join(page), "").unwrap();
    }
    let missing = "docs/README.md leaves pages out\n  docs/guide.md\n  docs/reference/contract.md";
    assert_eq!(run(root).unwrap_err().to_string(), missing);
    fs::write(root.join("docs/README.md"), "[1](guide.md#x)\n").unwrap();
    fs::write(root.join("docs/guide.md"), "# x\n").unwrap();
    let missing = "docs/README.md leaves pages out\n  docs/reference/contract.md";
    assert_eq!(run(root).unwrap_err().to_string(), missing);
}
