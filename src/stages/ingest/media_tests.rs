//! Tests of `media`.

use super::*;

/// `hello`, in base64 `aGVsbG8=`.
fn hash(bytes: &[u8]) -> String {
    format!("blake3_{}", &blake3::hash(bytes).to_hex()[..16])
}

fn read(json: &str) -> (String, String) {
    let part: Json = serde_json::from_str(json).unwrap();
    let medium = Medium::of(&part).unwrap_or_else(|| panic!("{json}"));
    (medium.placeholder(), Json::Object(medium.left.clone()).json())
}

#[test]
fn every_dialect_says_type_size_and_hash() {
    let of = |kind: &str| format!("[{kind} 5B {}]", hash(b"hello"));
    for (json, text, left) in [
        (
            r#"{"type":"image_url","image_url":{"url":"data:image/png;base64,aGVsbG8=","detail":"low"}}"#,
            of("image image/png"),
            r#"{"image_url":{"detail":"low"}}"#,
        ),
        (r#"{"type":"input_image","image_url":"data:image/png;base64,aGVsbG8="}"#, of("image image/png"), "{}"),
        (
            r#"{"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"aGVsbG8="}}"#,
            of("image image/jpeg"),
            "{}",
        ),
        (r#"{"type":"input_audio","input_audio":{"data":"aGVsbG8=","format":"wav"}}"#, of("audio audio/wav"), "{}"),
        (
            r#"{"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,aGVsbG8="}}"#,
            of("file application/pdf"),
            r#"{"file":{"filename":"a.pdf"}}"#,
        ),
        (r#"{"type":"file","data":"aGVsbG8=","mediaType":"image/png"}"#, of("image image/png"), "{}"),
        (r#"{"inlineData":{"mimeType":"audio/mp3","data":"aGVsbG8="}}"#, of("audio audio/mp3"), "{}"),
        (
            r#"{"type":"blob","modality":"image","mime_type":"image/png","content":"aGVsbG8="}"#,
            of("image image/png"),
            r#"{"modality":"image"}"#,
        ),
        (r#"{"type":"image","image":{"image":{"url":"data:image/gif;base64,aGVsbG8="}}}"#, of("image image/gif"), "{}"),
        (
            r#"{"type":"document","title":"t","source":{"type":"base64","media_type":"application/pdf","data":"aGVs\nbG8"}}"#,
            of("file application/pdf"),
            r#"{"title":"t"}"#,
        ),
        (r#"{"type":"image_url","image_url":{"url":"data:image/svg+xml,hel%6C%6f"}}"#, of("image image/svg+xml"), "{}"),
    ] {
        assert_eq!(read(json), (text, left.to_owned()), "{json}");
    }
}

#[test]
fn what_lies_elsewhere_has_its_type_and_leaves_its_address() {
    for (json, text, left) in [
        (
            r#"{"type":"image_url","image_url":{"url":"https://x.test/a?sig=s"}}"#,
            "[image]",
            r#"{"image_url":{"url":"https://x.test/a?sig=s"}}"#,
        ),
        (r#"{"type":"image","image":"https://x.test/a"}"#, "[image]", r#"{"image":"https://x.test/a"}"#),
        (
            r#"{"fileData":{"mimeType":"video/mp4","fileUri":"gs://b/c"}}"#,
            "[video video/mp4]",
            r#"{"fileData":{"fileUri":"gs://b/c"}}"#,
        ),
        (r#"{"type":"file","file":{"file_id":"f-1"}}"#, "[file]", r#"{"file":{"file_id":"f-1"}}"#),
        (
            r#"{"type":"uri","modality":"image","uri":"https://x.test"}"#,
            "[image]",
            r#"{"modality":"image","uri":"https://x.test"}"#,
        ),
        (
            r#"{"type":"image_url","image_url":{"url":"@@@langfuseMedia:type=image/png|id=u|source=base64@@@"}}"#,
            "[image]",
            r#"{"image_url":{"url":"@@@langfuseMedia:type=image/png|id=u|source=base64@@@"}}"#,
        ),
        (
            r#"{"type":"document","source":{"type":"text","media_type":"text/plain","data":"Dear Jo"}}"#,
            "[file text/plain]",
            r#"{"source":{"type":"text","data":"Dear Jo"}}"#,
        ),
    ] {
        assert_eq!(read(json), (text.to_owned(), left.to_owned()), "{json}");
    }
    for json in [r#"{"type":"text","text":"a"}"#, r#"{"text":"a"}"#, r#"{"type":"tool_use","image":"x"}"#, "5"] {
        assert!(Medium::of(&serde_json::from_str(json).unwrap()).is_none(), "{json}");
    }
}

#[test]
fn broken_bytes_are_counted_as_they_stand_and_text_has_no_hash() {
    for broken in ["aGVsbG8=x", "aGVsb", "a*b", "<redacted>", "aGVsbG8=="] {
        let json = format!(r#"{{"type":"image","source":{{"data":"{broken}"}}}}"#);
        assert_eq!(read(&json).0, format!("[image invalid {}B {}]", broken.len(), hash(broken.as_bytes())));
    }
    let json = r#"{"type":"input_file","file_data":"data:text/plain;base64,aGVsbG8="}"#;
    assert_eq!(read(json).0, "[file text/plain 5B]");
    let json = r#"{"inlineData":{"mimeType":"application/ld+json","data":"aGVsbG8="}}"#;
    assert_eq!(read(json).0, "[file application/ld+json 5B]");
    let odd = r#"{"type":"file","mime_type":"a b [x]","data":"aGVsbG8="}"#;
    assert_eq!(read(odd), (format!("[file 5B {}]", hash(b"hello")), r#"{"mime_type":"a b [x]"}"#.to_owned()));
}

/// Bytes as base64, without padding.
pub fn written(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let four = |three: &[u8]| {
        let bits = three.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        (0..=three.len()).map(|at| char::from(LETTERS[(bits >> (18 - 6 * at) & 63) as usize])).collect::<String>()
    };
    bytes.chunks(3).map(four).collect()
}

#[test]
fn long_bytes_are_read_piece_by_piece() {
    let bytes: Vec<u8> = (0..20_001u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    for len in [0, 1, 2, 3, 3071, 3072, 3073, 20_001] {
        let mut read = Vec::new();
        let length = base64(&written(&bytes[..len]), &mut |piece| read.extend_from_slice(piece));
        assert_eq!(length, (len > 0).then_some(len as u64));
        assert!(read == bytes[..len], "{len}");
    }
}
