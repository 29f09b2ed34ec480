//! Gives libFuzzer the targets that `cargo test` searches too.
//! Never says itself what must hold; `tests/spec/properties` does.

use std::path::Path;

/// The checks, from source: only their tests stay behind.
#[path = "../../../tests/spec/properties/mod.rs"]
#[allow(dead_code, reason = "the tests use all of it; the targets use a part")]
mod properties;

/// Makes one fuzz target.
#[macro_export]
macro_rules! target {
    ($name:literal) => {
        libfuzzer_sys::fuzz_target!(init: $crate::write_seeds($name), |bytes: &[u8]| {
            $crate::check($name, bytes);
        });
    };
}

/// Panics if `bytes` break what `name` promises.
pub fn check(name: &str, bytes: &[u8]) {
    (find(name).check)(bytes);
}

/// With `WRITE_SEEDS=FOLDER` set: writes seeds and dictionary there, and ends the program.
pub fn write_seeds(name: &str) {
    let Some(folder) = std::env::var_os("WRITE_SEEDS") else { return };
    let target = find(name);
    let seeds = Path::new(&folder).join("seeds");
    std::fs::create_dir_all(&seeds).expect("the folder can be made");
    for (index, seed) in (target.seeds)().iter().enumerate() {
        let path = seeds.join(format!("{index:03}"));
        std::fs::write(path, seed).expect("a seed can be written");
    }
    let entries = target.words.iter().map(|word| {
        let bytes: String = word.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("\"{bytes}\"\n")
    });
    let words: String = entries.collect();
    std::fs::write(Path::new(&folder).join("words"), words).expect("the words can be written");
    std::process::exit(0);
}

fn find(name: &str) -> properties::Target {
    *properties::TARGETS.iter().find(|target| target.name == name).expect("the target is known")
}
