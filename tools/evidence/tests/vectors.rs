//! What others have published to test implementations of the standards with: Ed25519 (Wycheproof), RFC 6962, JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use labtrust_evidence::digest::unhex;
use labtrust_evidence::entry::Entry;
use labtrust_evidence::merkle::{
    Hash, consistency_proof, inclusion_proof, leaf_hash, root, verify_consistency, verify_inclusion,
};
use labtrust_evidence::note::Verifier;
use labtrust_evidence::strict;
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

/// Every signature that Wycheproof calls valid holds, and no other.
#[test]
fn ed25519_is_that_of_wycheproof() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in set.test_groups {
        let key = Verifier::from_base64("wycheproof", &STANDARD.encode(&group.key.pk[..]));
        for test in group.tests {
            let holds = key.as_ref().is_ok_and(|key| key.holds(&test.msg, &STANDARD.encode(&test.sig[..])));
            let count = match test.result {
                TestResult::Valid => &mut valid,
                _ => &mut invalid,
            };
            *count += 1;
            assert_eq!(holds, test.result == TestResult::Valid, "case {}: {}", test.tc_id, test.comment);
        }
    }
    assert_eq!((valid, invalid), (88, 63), "as many as were published");
}

/// The leaves of the tests of Certificate Transparency.
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

/// Published proofs: leaf (from 1), size, nodes.
const INCLUSION: [(usize, usize, &[&str]); 5] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (3, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        2,
        5,
        &[
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

/// Published proofs: old size, size, nodes.
const CONSISTENCY: [(usize, usize, &[&str]); 4] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

fn nodes(texts: &[&str]) -> Vec<Hash> {
    texts.iter().map(|text| unhex(text).unwrap()).collect()
}

/// Proofs that cannot hold: those of the published tests of what a verifier has to refuse.
fn wrong(proof: &[Hash], root: &Hash) -> Vec<Vec<Hash>> {
    let mut wrong = vec![[proof, &[[0; 32]]].concat(), [proof, &[*root]].concat(), [&[[0; 32]], proof].concat()];
    wrong.push([&[*root], proof].concat());
    for at in 0..proof.len() {
        let mut changed = proof.to_vec();
        changed[at][7] ^= 0x10;
        wrong.push(changed);
        let mut shorter = proof.to_vec();
        shorter.remove(at);
        wrong.push(shorter);
        let mut twice = proof.to_vec();
        twice.insert(at, proof[at]);
        wrong.push(twice);
    }
    wrong
}

#[test]
fn proofs_are_the_published_ones_and_no_other_holds() {
    let leaves: Vec<Hash> = LEAVES.iter().map(|leaf| leaf_hash(leaf)).collect();
    for (leaf, size, expected) in INCLUSION {
        let (index, root, expected) = (leaf - 1, root(&leaves[..size]), nodes(expected));
        assert_eq!(inclusion_proof(&leaves[..size], index).unwrap(), expected, "{leaf} of {size}");
        let holds =
            |index: u64, size: u64, proof: &[Hash], leaf: &Hash| verify_inclusion(leaf, index, size, proof, &root);
        let (at, many, leaf) = (index as u64, size as u64, leaves[index]);
        assert!(holds(at, many, &expected, &leaf));
        for proof in wrong(&expected, &root) {
            assert!(!holds(at, many, &proof, &leaf), "{proof:?}");
        }
        for (at, many) in [(at + 1, many), (at ^ 2, many), (at, many * 2), (at, many / 2), (many, many), (at, 0)] {
            assert!(!holds(at, many, &expected, &leaf), "{at} of {many}");
        }
        assert!(!holds(at, many, &expected, &[0; 32]));
    }
    for (old, size, expected) in CONSISTENCY {
        let (before, now, expected) = (root(&leaves[..old]), root(&leaves[..size]), nodes(expected));
        assert_eq!(consistency_proof(&leaves[..size], old).unwrap(), expected, "{old} in {size}");
        let (m, n) = (old as u64, size as u64);
        assert!(verify_consistency(m, n, &expected, &before, &now));
        for proof in wrong(&expected, &now) {
            assert!(!verify_consistency(m, n, &proof, &before, &now), "{proof:?}");
        }
        let sizes = [(m + 1, n), (m - 1, n), (m ^ 2, n), (m, n * 2), (m, n / 2), (n + 1, n)];
        for (m, n) in sizes.into_iter().filter(|sizes| *sizes != (m, n)) {
            assert!(!verify_consistency(m, n, &expected, &before, &now), "{m} in {n}");
        }
        assert_eq!(verify_consistency(m, n, &expected, &now, &before), old == size);
    }
}

/// JSON that every reader has to accept, after the kinds of JSONTestSuite; with whether the text is the canonical one.
const ACCEPTED: &[(&str, bool)] = &[
    ("[[]   ]", false),
    ("[\"\"]", true),
    ("[]", true),
    ("[\"a\"]", true),
    ("[false]", true),
    ("[null, 1, \"1\", {}]", false),
    ("[null]", true),
    ("[1\n]", false),
    (" [1]", false),
    ("[1,null,null,null,2]", true),
    ("[2] ", false),
    ("[123e65]", false),
    ("[0e+1]", false),
    ("[0e1]", false),
    ("[ 4]", false),
    ("[-0.000000000000000000000000000000000000000000000000000000000000000000000000000001]", false),
    ("[20e1]", false),
    ("[-0]", false),
    ("[-123]", true),
    ("[-1]", true),
    ("[1E22]", false),
    ("[1E-2]", false),
    ("[1E+2]", false),
    ("[123e45]", false),
    ("[123.456e78]", false),
    ("[1e-2]", false),
    ("[1e+2]", false),
    ("[123]", true),
    ("[123.456789]", true),
    ("{\"asd\":\"sdf\", \"dfg\":\"fgh\"}", false),
    ("{\"asd\":\"sdf\"}", true),
    ("{}", true),
    ("{\"\":0}", true),
    ("{\"foo\\u0000bar\": 42}", false),
    ("{\"foo\\u0000bar\":42}", true),
    ("{ \"min\": -1.0e+28, \"max\": 1.0e+28 }", false),
    ("{\"a\":[]}", true),
    ("{\"title\":\"\\u041f\\u043e\" }", false),
    ("{\"title\":\"\\u041f\\u043e\"}", true),
    ("{\n\"a\": \"b\"\n}", false),
    ("[\"\\u0060\\u012a\\u12AB\"]", false),
    ("[\"\\uD801\\udc37\"]", false),
    ("[\"\\ud801\\udc37\"]", true),
    ("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]", true),
    ("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", false),
    ("[\"\\\"\\\\\\b\\f\\n\\r\\t\"]", true),
    ("[\"\\\\u0000\"]", true),
    ("[\"\\\"\"]", true),
    ("[\"a/*b*/c/*d//e\"]", true),
    ("[\"\\\\a\"]", true),
    ("[\"\\\\n\"]", true),
    ("[\"\\u0012\"]", true),
    ("[\"\\uFFFF\"]", false),
    ("[\"\\uffff\"]", true),
    ("[ \"asd\"]", false),
    ("[\"\\uDBFF\\uDFFF\"]", false),
    ("[\"new\\u00A0line\"]", false),
    ("[\"\u{10ffff}\"]", false),
    ("[\"\u{ffff}\"]", false),
    ("[\"\\u0000\"]", true),
    ("[\"\\u002c\"]", false),
    ("[\"\u{3c0}\"]", false),
    ("[\"asd \"]", true),
    ("\" \"", true),
    ("[\"\\u0821\"]", true),
    ("[\"\u{2028}\"]", false),
    ("[\"\\u2028\\u2029\"]", true),
    ("[\"\\u0061\\u30af\\u30EA\\u30b9\"]", false),
    ("[\"new\\u000Aline\"]", false),
    ("[\"\u{7f}\"]", false),
    ("[\"\\u007f\"]", true),
    ("[\"\\uA66D\"]", false),
    ("[\"\u{2342}\u{3234}\u{2342}\"]", false),
    ("[\"\\u200B\"]", false),
    ("[\"\\uFDD0\"]", false),
    ("[\"\\u0022\"]", false),
    ("[\"a\u{7f}a\"]", false),
    ("false", true),
    ("42", true),
    ("-0.1", true),
    ("null", true),
    ("\"asd\"", true),
    ("true", true),
    ("\"\"", true),
    ("[\"a\"]\n", false),
    ("[true]", true),
    (" [] ", false),
];

/// What no reader may accept.
const REFUSED: &[&str] = &[
    "[1 true]",
    "[a\u{e5}]",
    "[\"\": 1]",
    "[\"\"],",
    "[,1]",
    "[1,,2]",
    "[\"x\",,]",
    "[\"x\"]]",
    "[\"\",]",
    "[\"x\"",
    "[x",
    "[3[4]]",
    "[1:2]",
    "[,]",
    "[-]",
    "[   , \"\"]",
    "[\"a\",\n4\n,1,",
    "[1,]",
    "[1,,]",
    "[\"\u{b}a\"\\f]",
    "[*]",
    "[\"\"",
    "[1,",
    "[1,\n1\n,1",
    "[{}",
    "[fals]",
    "[nul]",
    "[tru]",
    "123\0",
    "[++1234]",
    "[+1]",
    "[+Inf]",
    "[-01]",
    "[-1.0.]",
    "[-2.]",
    "[-NaN]",
    "[.-1]",
    "[.2e-3]",
    "[0.1.2]",
    "[0.3e+]",
    "[0.3e]",
    "[0.e1]",
    "[0E+]",
    "[0E]",
    "[0e+]",
    "[0e]",
    "[1.0e+]",
    "[1.0e-]",
    "[1.0e]",
    "[1 000.0]",
    "[1eE2]",
    "[2.e+3]",
    "[2.e-3]",
    "[2.e3]",
    "[9.e+]",
    "[Inf]",
    "[NaN]",
    "[\u{ff11}]",
    "[1+2]",
    "[0x1]",
    "[0x42]",
    "[Infinity]",
    "[0e+-1]",
    "[-123.123foo]",
    "[-Infinity]",
    "[-foo]",
    "[- 1]",
    "[-012]",
    "[-.123]",
    "[-1x]",
    "[1ea]",
    "[1.]",
    "[.123]",
    "[1.2a-3]",
    "[1.8011670033376514H-308]",
    "[012]",
    "[\"x\", truth]",
    "{[: \"x\"}\n",
    "{\"x\", null}",
    "{\"x\"::\"b\"}",
    "{\u{1f1e8}\u{1f1ed}}",
    "{\"a\":\"a\" 123}",
    "{key: 'value'}",
    "{\"a\" b}",
    "{:\"b\"}",
    "{\"a\" \"b\"}",
    "{\"a\":",
    "{\"a\"",
    "{1:1}",
    "{9999E9999:1}",
    "{null:null,null:null}",
    "{\"id\":0,,,,,}",
    "{'a':0}",
    "{\"id\":0,}",
    "{\"a\":\"b\"}/**/",
    "{\"a\":\"b\"}/**//",
    "{\"a\":\"b\"}//",
    "{\"a\":\"b\"}/",
    "{\"a\":\"b\",,\"c\":\"d\"}",
    "{a: \"b\"}",
    "{\"a\":\"a",
    "{ \"foo\" : \"bar\", \"a\" }",
    "{\"a\":\"b\"}#",
    " ",
    "[\"\\uD800\\\"]",
    "[\"\\uD800\\u\"]",
    "[\"\\uD800\\u1\"]",
    "[\"\\uD800\\u1x\"]",
    "[\u{e9}]",
    "[\"\\\0\"]",
    "[\"\\x00\"]",
    "[\"\\\\\\\"]",
    "[\"\\\t\"]",
    "[\"\\\u{1f300}\"]",
    "[\"\\\"]",
    "[\"\\u00A\"]",
    "[\"\\uD834\\uDd\"]",
    "[\"\\uD800\\uD800\\x\"]",
    "[\"\\a\"]",
    "[\"\\uqqqq\"]",
    "[\\u0020\"asd\"]",
    "[\\n]",
    "\"",
    "['single quote']",
    "abc",
    "[\"\\",
    "[\"a\0a\"]",
    "[\"new\nline\"]",
    "[\"\t\"]",
    "\"\\UA66D\"",
    "\"\"x",
    "<.>",
    "[<null>]",
    "[1]x",
    "[1]]",
    "[\"asd]",
    "a\u{e5}",
    "[True]",
    "1]",
    "{\"x\": true,",
    "[][]",
    "]",
    "\u{feff}{}",
    "",
    "[",
    "{\"\":",
    "2@",
    "{}}",
    "{\"a\":/*comment*/\"b\"}",
    "{\"a\": true} \"x\"",
    "['",
    "[,",
    "[{",
    "[\"a",
    "[\"a\"",
    "{",
    "{]",
    "{,",
    "{[",
    "{\"a",
    "{'a'",
    "[\"\\{[\"\\{[\"\\{[\"\\{",
    "*",
    "{\"a\":\"b\"}#{}",
    "[\\u000A\"\"]",
    "[1",
    "[ false, nul",
    "[ true, fals",
    "[ false, tru",
    "{\"asd\":\"asd\"",
    "\u{e5}",
    "[\u{2060}]",
    "[\u{c}]",
];

/// Left open by the standard; here nothing of it is canonical.
const DECIDED: &[&str] = &[
    "[123.456e-789]",
    "[0.4e00669999999999999999999999999999999999999999999999999999999999999999999999999999999999]",
    "[-1e+9999]",
    "[1.5e+9999]",
    "[-123123e100000]",
    "[123123e100000]",
    "[123123123123123123123123123123]",
    "[-123123123123123123123123123123]",
    "[100000000000000000000]",
    "{\"\\uDFAA\":0}",
    "[\"\\uDADA\"]",
    "[\"\\uD888\\u1234\"]",
    "[\"\\uD800\\n\"]",
    "[\"\\uDd1ea\"]",
    "[\"\\uD800\\uD800\\n\"]",
    "[\"\\ud800\"]",
    "[\"\\ud800abc\"]",
    "[\"\\uDd1e\\uD834\"]",
    "[\"\\uDFAA\"]",
    "{\"a\":\"b\",\"a\":\"c\"}",
    "{\"a\":\"b\",\"a\":\"b\"}",
    "{\"a\":null,\"a\":null}",
];

#[test]
fn json_is_accepted_and_refused_as_published() {
    let in_line = |text: &str| Entry::parse(format!("{{\"a\":{text}}}").into_bytes());
    for (text, canonical) in ACCEPTED {
        assert_eq!(strict::check(text.as_bytes()).is_ok(), *canonical, "{text:?}");
        let entry = in_line(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert!(strict::check(entry.bytes()).is_ok(), "{text:?} is written canonically");
    }
    for text in REFUSED {
        assert!(strict::check(text.as_bytes()).is_err(), "{text:?}");
        assert!(Entry::parse(text.as_bytes()).is_err(), "{text:?}");
    }
    for text in DECIDED {
        assert!(strict::check(text.as_bytes()).is_err(), "{text:?}");
    }
    // Deep ones: no reader may fall over.
    for deep in ["[".repeat(100_000), "{\"\":".repeat(50_000), "[{\"\":".repeat(50_000)] {
        assert!(strict::check(deep.as_bytes()).is_err());
        assert!(Entry::parse(deep.into_bytes()).is_err());
    }
    assert!(strict::check(format!("{}{}", "[".repeat(64), "]".repeat(64)).as_bytes()).is_ok());
    assert!(ACCEPTED.len() >= 85 && REFUSED.len() >= 170 && DECIDED.len() >= 20);
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    for bytes in [
        &b"[\"\xff\"]"[..],
        b"[\"\xe5\"]",
        b"[\"\xc0\xaf\"]",
        b"[\"\xed\xa0\x80\"]",
        b"[\"\xe0\xff\"]",
        b"\xef\xbb",
        b"[1\xe5]",
    ] {
        assert!(strict::check(bytes).is_err());
        assert!(Entry::parse([b"{\"a\":", bytes, b"}"].concat()).is_err());
    }
}
