//! Numbers of China, Hong Kong, Taiwan, Japan and Korea.
//!
//! Not here: the engine (`super`).
//!
//! Always: see `super`.

use super::check::{decimal, is_digits, is_yymmdd, is_yyyymmdd, mixed, mod_11_2, mod_11_or_zero, value, weighted};
use super::{Kind, Row, Rule};

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: Rule {
            id: "cn.resident_id",
            version: 1,
            kind: Kind::CnResidentId,
            country: "CN",
            score: 0.97,
            check: "province; day of birth; ISO 7064 MOD 11-2",
            context: &[
                "身份证",
                "身份證",
                "公民身份号码",
                "身份号码",
                "shenfenzheng",
                "resident id*",
                "id card",
                "sfz",
            ],
            source: "GB 11643-1999",
            finds: &[
                "‹11010519491231002X›",
                "身份证号：‹34052419800101001X›",
                "id ‹11010519491231002x›，",
                "身份证‹110105491231002›",
            ],
            passes: &[
                "110105194912310021",
                "11010519491331002X",
                "01010519491231002X",
                "1101051949123100",
                "110105491231002",
            ],
        },
        forms: &["dddddddddddddddddn", "dddddd dddddddd dddn", "dddddd-dddddddd-dddn", "!ddddddddddddddd"],
        valid: |number| {
            let province = matches!(decimal(&number[..2]), 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83);
            // 15 characters until 1999: two digits of the year and no check.
            province
                && if number.len() == 15 {
                    is_yymmdd(&number[6..])
                } else {
                    is_yyyymmdd(&number[6..]) && mod_11_2(number)
                }
        },
    },
    Row {
        rule: Rule {
            id: "hk.id",
            version: 1,
            kind: Kind::HkId,
            country: "HK",
            score: 0.92,
            check: "modulus 11 over letters and digits",
            context: &["hkid*", "hong kong id*", "hk id*", "身份證", "身份证", "identity card"],
            source: "Immigration Department, Hong Kong identity card",
            finds: &["HKID ‹A123456(3)›", "‹G123456(A)›", "hkid: ‹A1234563›", "身份證號碼 ‹AB987654(3)›"],
            passes: &["A123456(4)", "A1234563", "f123456(3)", "HKID A1234564", "A123456(3"],
        },
        forms: &["adddddd(n)", "aadddddd(n)", "!addddddn", "!aaddddddn", "!adddddd-n"],
        valid: hkid,
    },
    Row {
        rule: Rule {
            id: "tw.national_id",
            version: 1,
            kind: Kind::TwNationalId,
            country: "TW",
            score: 0.85,
            check: "letter of a county; sex or residence; modulus 10",
            context: &["身分證*", "身份證*", "統一編號", "居留證", "taiwan id*", "roc id*", "national id*", "arc"],
            source: "Ministry of the Interior, national identification number",
            finds: &["身分證字號：‹A123456789›", "身份證 ‹F131104093›", "ARC ‹A800000014›"],
            passes: &["身分證字號：A123456788", "A123456789", "身分證 A323456789"],
        },
        forms: &["?addddddddd"],
        valid: taiwan,
    },
    Row {
        rule: Rule {
            id: "jp.my_number",
            version: 1,
            kind: Kind::JpMyNumber,
            country: "JP",
            score: 0.85,
            check: "modulus 11, weights 6 5 4 3 2 7 6 5 4 3 2",
            context: &["マイナンバー", "個人番号", "my number", "individual number", "mynumber", "kojin bango"],
            source: "Ministerial ordinance of the MIC no. 85 of 2014, article 5",
            finds: &["マイナンバー：‹6214 9832 0257›", "個人番号は‹123456789018›です", "My Number ‹6214-9832-0257›"],
            passes: &["マイナンバー：6214 9832 0258", "6214 9832 0257", "my number is 123456789019"],
        },
        forms: &["!dddd_dddd_dddd", "!dddddddddddd"],
        valid: |number| mixed(number) && mod_11_or_zero(number, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]),
    },
    Row {
        rule: Rule {
            id: "kr.rrn",
            version: 1,
            kind: Kind::KrRrn,
            country: "KR",
            score: 0.93,
            check: "day of birth; digit of sex and century; modulus 11",
            context: &[
                "주민등록번호",
                "주민번호",
                "외국인등록번호",
                "rrn",
                "jumin*",
                "resident registration*",
                "alien registration*",
            ],
            source: "Resident Registration Act, enforcement rule (KR)",
            finds: &["‹971013-9019902›", "주민등록번호 ‹9710139019902›"],
            passes: &["971013-9019903", "971313-9019902", "9710139019902", "971013-90199021"],
        },
        forms: &["dddddd-ddddddd", "?ddddddddddddd", "?dddddd ddddddd"],
        valid: |number| {
            let sum = weighted(number, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]);
            is_yymmdd(number) && mixed(&number[6..]) && (11 - sum % 11) % 10 == value(number[12])
        },
    },
    Row {
        rule: Rule {
            id: "kr.rrn_random",
            version: 1,
            kind: Kind::KrRrn,
            country: "KR",
            score: 0.8,
            check: "day of birth; digit of sex and century; no checksum since October 2020",
            context: &["주민등록번호", "주민번호", "외국인등록번호", "rrn", "jumin*", "resident registration*"],
            source: "Ministry of the Interior and Safety, notice on random numbers (2020)",
            finds: &["주민등록번호: ‹880101-1234568›"],
            passes: &["880101-1234567", "주민등록번호: 881301-1234567", "880101-9234567"],
        },
        forms: &["!dddddd-ddddddd", "!ddddddddddddd"],
        valid: |number| is_yymmdd(number) && (b'1'..=b'8').contains(&number[6]),
    },
    Row {
        rule: Rule {
            id: "kr.brn",
            version: 1,
            kind: Kind::KrBrn,
            country: "KR",
            score: 0.85,
            check: "weights 1 3 7 1 3 7 1 3 5, tens of the last product added",
            context: &["사업자등록번호", "사업자번호", "사업자", "brn", "business registration*"],
            source: "National Tax Service (KR)",
            finds: &["사업자등록번호 ‹116-82-00276›", "BRN: ‹1168200276›"],
            passes: &["사업자등록번호 116-82-00277", "116-82-00276"],
        },
        forms: &["!ddd-dd-ddddd", "!dddddddddd"],
        valid: |number| {
            let sum = weighted(number, &[1, 3, 7, 1, 3, 7, 1, 3, 5]) + value(number[8]) * 5 / 10;
            mixed(number) && (10 - sum % 10) % 10 == value(number[9])
        },
    },
];

/// One or two letters, six digits, check character 0 to 9 or A. A missing letter counts 36.
fn hkid(number: &[u8]) -> bool {
    let Some((last, rest)) = number.split_last() else { return false };
    let letters = rest.len() - 6;
    let weights = [9, 8, 7, 6, 5, 4, 3, 2];
    let sum = if letters == 1 { 36 * 9 } else { 0 } + weighted(rest, &weights[2 - letters..]);
    let check = (11 - sum % 11) % 11;
    is_digits(&rest[letters..]) && matches!(last, b'0'..=b'9' | b'A') && value(*last) == check
}

fn taiwan(number: &[u8]) -> bool {
    // Numbers of the counties in the order of the alphabet.
    const COUNTIES: [u32; 26] =
        [10, 11, 12, 13, 14, 15, 16, 17, 34, 18, 19, 20, 21, 22, 35, 23, 24, 25, 26, 27, 28, 29, 32, 30, 31, 33];
    let county = COUNTIES[number[0].wrapping_sub(b'A') as usize % 26];
    let sum = county / 10 + county % 10 * 9 + weighted(&number[1..], &[8, 7, 6, 5, 4, 3, 2, 1, 1]);
    matches!(number[1], b'1' | b'2' | b'8' | b'9') && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digit_off_is_refused() {
        use super::super::tests::refuses_single_changes;
        let row = |id: &str| ROWS.iter().find(|row| row.rule.id == id).unwrap().valid;
        refuses_single_changes(row("cn.resident_id"), &["11010519491231002X", "34052419800101001X"]);
        refuses_single_changes(hkid, &["A1234563", "G123456A", "AB9876543"]);
        refuses_single_changes(row("jp.my_number"), &["621498320257"]);
        // The last product is added with its tens, so the digit before the check is not always seen.
        assert!((row("kr.brn"))(b"1168200276") && !(row("kr.brn"))(b"1168200277"));
        assert!(taiwan(b"A123456789") && !taiwan(b"A123456788") && !taiwan(b"B123456789"));
    }
}
