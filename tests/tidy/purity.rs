//! Compiles the protocol alone, without the standard library and without a dependency.
//! Never runs it; the simulator does.

use std::fs;
use std::process::Command;

use super::source::root;

#[test]
#[expect(clippy::disallowed_methods, reason = "starts the compiler, which no other place does")]
fn the_protocol_compiles_alone_without_the_standard_library() {
    let place = tempfile::tempdir().unwrap();
    let wrapper = place.path().join("alone.rs");
    let protocol = root().join("src/protocol/mod.rs");
    let text = format!(
        "#![no_std]\nextern crate alloc;\n#[path = {:?}]\npub mod protocol;\n",
        protocol.display().to_string()
    );
    fs::write(&wrapper, text).unwrap();
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler)
        .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata"])
        .args(["--crate-name", "alone", "--out-dir"])
        .arg(place.path())
        .arg(&wrapper)
        .output()
        .expect("the compiler that built this test can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
