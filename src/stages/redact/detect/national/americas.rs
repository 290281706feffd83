//! Numbers of Brazil, Mexico, Argentina, Chile and Canada.
//!
//! Not here: the engine (`super`); the United States (`us`).
//!
//! Always: see `super`.

use super::check::{decimal, is_digits, is_letters, is_yymmdd, luhn, mixed, mod_11_or_zero, value, weighted};
use super::{Kind, Row, Rule};

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: Rule {
            id: "br.cpf",
            version: 1,
            kind: Kind::BrCpf,
            country: "BR",
            score: 0.92,
            check: "two check digits modulo 11",
            context: &["cpf*", "cadastro de pessoa*"],
            source: "Receita Federal, CPF",
            finds: &[
                "‹111.444.777-35›",
                "{\"cpf\": \"‹39053344705›\"}",
                "CPF ‹390 533 447 05›",
                "C.P.F. ‹390533447-05›",
            ],
            passes: &["111.444.777-36", "11144477735", "111.111.111-11", "1.111.444.777-35", "CPF 11144477734"],
        },
        forms: &[
            "ddd.ddd.ddd-dd",
            "?ddddddddddd",
            "?ddd ddd ddd dd",
            "?ddddddddd-dd",
            "?ddd-ddd-ddd-dd",
            "?ddd.ddd.ddd.dd",
        ],
        valid: |number| {
            mixed(number)
                && mod_11_or_zero(&number[..10], &[10, 9, 8, 7, 6, 5, 4, 3, 2])
                && mod_11_or_zero(number, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
        },
    },
    Row {
        rule: Rule {
            id: "br.cnpj",
            version: 1,
            kind: Kind::BrCnpj,
            country: "BR",
            score: 0.94,
            check: "two check digits modulo 11 over digits and, from 2026 on, letters",
            context: &["cnpj*", "cadastro nacional*"],
            source: "Receita Federal, IN RFB 2.229/2024",
            finds: &[
                "‹11.222.333/0001-81›",
                "CNPJ: ‹11222333000181›",
                "‹12.ABC.345/01DE-35›",
                "cnpj ‹12ABC34501DE35›",
                "CNPJ ‹16727230/0001-97›",
            ],
            passes: &[
                "11.222.333/0001-82",
                "11222333000181",
                "12.ABC.345/01DE-36",
                "12ABC34501DE35",
                "00.000.000/0000-00",
            ],
        },
        forms: &[
            "nn.nnn.nnn/nnnn-dd",
            "?nnnnnnnnnnnndd",
            "?nnnnnnnn/nnnn-dd",
            "?nnnnnnnn nnnn dd",
            "?nn nnn nnn nnnn dd",
        ],
        valid: cnpj,
    },
    Row {
        rule: Rule {
            id: "mx.curp",
            version: 1,
            kind: Kind::MxCurp,
            country: "MX",
            score: 0.96,
            check: "day of birth, sex, state; weights 18 to 2, modulus 10",
            context: &["curp", "clave unica*"],
            source: "RENAPO, Instructivo normativo CURP (DOF 18/10/2021)",
            finds: &["‹HEGG560427MVZRRL04›", "CURP: ‹boxw310820hnerxn09›"],
            passes: &["HEGG560427MVZRRL05", "HEGG561427MVZRRL04", "HEGG560427MZZRRL04", "hegg560427mvzrrl05"],
        },
        forms: &["aaaaddddddaaaaaand"],
        valid: curp,
    },
    Row {
        rule: Rule {
            id: "mx.rfc",
            version: 1,
            kind: Kind::MxRfc,
            country: "MX",
            score: 0.9,
            check: "day of birth or foundation; modulus 11 over all characters",
            context: &["rfc", "registro federal*"],
            source: "SAT, Anexo 19; DOF",
            finds: &["‹GODE561231GR8›", "RFC ‹MAB-930714-8T4›"],
            passes: &["GODE561331GR8", "GODE561231GR9", "gode561231gr8"],
        },
        forms: &["aaaaddddddnnn", "aaaddddddnnn", "aaaa-dddddd-nnn", "aaa-dddddd-nnn", "?aaaa dddddd nnn"],
        valid: |number| rfc_shape(number) && rfc_check(number),
    },
    Row {
        rule: Rule {
            id: "mx.rfc_labelled",
            version: 1,
            kind: Kind::MxRfc,
            country: "MX",
            score: 0.85,
            check: "label; day of birth or foundation: some numbers were issued with a wrong check digit",
            context: &["rfc", "registro federal*"],
            source: "SAT, Anexo 19; DOF",
            finds: &["R.F.C. ‹VACE-460910-SX6›", "\"rfc\":\"‹GODE561231GR9›\""],
            passes: &["VACE-460910-SX6", "RFC 2119", "RFC VACE-461310-SX6"],
        },
        forms: &["!aaaaddddddnnn", "!aaaddddddnnn", "!aaaa-dddddd-nnn", "!aaa-dddddd-nnn"],
        valid: rfc_shape,
    },
    Row {
        rule: Rule {
            id: "ar.cuit",
            version: 1,
            kind: Kind::ArCuit,
            country: "AR",
            score: 0.9,
            check: "kind of person; modulus 11",
            context: &["cuit*", "cuil*", "clave unica*"],
            source: "AFIP, Resolucion General 10/1997",
            finds: &["‹20-05536168-2›", "CUIT ‹20267565393›", "CUIL: ‹20.05536168.2›"],
            passes: &["20-05536168-3", "20267565393", "21-05536168-2"],
        },
        forms: &["dd-dddddddd-d", "?ddddddddddd", "?dd_dddddddd_d", "?dd-dd.ddd.ddd-d"],
        valid: |number| {
            let kind = matches!(decimal(&number[..2]), 20 | 23..=27 | 30 | 33 | 34 | 50 | 51 | 55);
            let sum = weighted(number, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
            kind && sum.is_multiple_of(11) && mixed(&number[2..10])
        },
    },
    Row {
        rule: Rule {
            id: "cl.rut",
            version: 1,
            kind: Kind::ClRut,
            country: "CL",
            score: 0.9,
            check: "modulus 11, weights 2 to 7; 10 is written K",
            context: &["rut", "run", "rol unico*", "cedula*"],
            source: "Registro Civil; SII (CL)",
            finds: &["‹12.345.678-5›", "RUT ‹12531909-2›", "‹20.347.878-K›", "rut: ‹125319092›", "RUT ‹20.347.878-k›"],
            passes: &["12.345.678-6", "12531909-2", "12.345.678-50", "running 125319092"],
        },
        forms: &["dd.ddd.ddd-n", "d.ddd.ddd-n", "?dddddddd-n", "?ddddddd-n", "!ddddddddn", "!dddddddn"],
        valid: |number| {
            let Some((last, rest)) = number.split_last() else { return false };
            let sum: u32 = rest.iter().rev().zip((2..=7).cycle()).map(|(digit, weight)| value(*digit) * weight).sum();
            mixed(rest) && is_digits(rest) && *last == b"0K987654321"[sum as usize % 11]
        },
    },
    Row {
        rule: Rule {
            id: "ca.sin",
            version: 1,
            kind: Kind::CaSin,
            country: "CA",
            score: 0.85,
            check: "first digit not 8; Luhn",
            context: &["sin", "sin number", "social insurance*", "nas", "assurance sociale", "sin no"],
            source: "Employment and Social Development Canada, SIN code of practice",
            finds: &["SIN ‹046 454 286›", "social insurance number: ‹123-456-782›", "N.A.S. ‹046454286›"],
            passes: &["SIN 046 454 287", "046 454 286", "since 046454286", "SIN 000 000 000"],
        },
        forms: &["!ddd_ddd_ddd", "!ddddddddd"],
        valid: |number| number[0] != b'8' && mixed(number) && luhn(number),
    },
];

/// Every character counts its ASCII code less 48.
fn cnpj(number: &[u8]) -> bool {
    const WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
    let check = |head: &[u8]| {
        let weights = &WEIGHTS[13 - head.len()..];
        let sum: u32 = head.iter().zip(weights).map(|(byte, weight)| u32::from(byte - b'0') * weight).sum();
        if sum % 11 < 2 { 0 } else { 11 - sum % 11 }
    };
    mixed(&number[..12]) && check(&number[..12]) == value(number[12]) && check(&number[..13]) == value(number[13])
}

fn curp(number: &[u8]) -> bool {
    const STATES: &[u8] = b"ASBCBSCCCLCMCSCHDFDGGTGRHGJCMCMNMSNTNLOCPLQTQRSPSLSRTCTSTLVZYNZSNE";
    // A letter of the alphabet with its Spanish N with tilde between N and O.
    let place = |byte: u8| value(byte) + u32::from(byte > b'N');
    let sum: u32 = number[..17].iter().zip((2..=18).rev()).map(|(byte, weight)| place(*byte) * weight).sum();
    is_yymmdd(&number[4..])
        && matches!(number[10], b'H' | b'M' | b'X')
        && STATES.chunks(2).any(|state| *state == number[11..13])
        && (10 - sum % 10) % 10 == value(number[17])
}

/// Three letters for companies, four for people, a day, two characters and the check.
fn rfc_shape(number: &[u8]) -> bool {
    let letters = number.len() - 9;
    let last = number[number.len() - 1];
    is_letters(&number[..letters]) && is_yymmdd(&number[letters..]) && (last.is_ascii_digit() || last == b'A')
}

fn rfc_check(number: &[u8]) -> bool {
    // Places in `0-9 A-N & O-Z`, then a space (37), which stands before the three letters of a company.
    let place = |byte: u8| value(byte) + u32::from(byte > b'N');
    let Some((last, rest)) = number.split_last() else { return false };
    let company = if rest.len() == 11 { 37 * 13 } else { 0 };
    let sum: u32 = rest.iter().rev().zip(2..).map(|(byte, weight)| place(*byte) * weight).sum();
    (11 - (sum + company) % 11) % 11 == value(*last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_digit_off_is_refused() {
        use super::super::tests::refuses_single_changes;
        let row = |id: &str| ROWS.iter().find(|row| row.rule.id == id).unwrap().valid;
        // Rests 10 and 11 share the digit 0, so a number with a check digit of 0 may miss a change.
        refuses_single_changes(row("br.cpf"), &["11144477735"]);
        assert!((row("br.cpf"))(b"39053344705") && !(row("br.cpf"))(b"39053344715"));
        refuses_single_changes(cnpj, &["11222333000181", "16727230000197", "12ABC34501DE35"]);
        refuses_single_changes(row("ar.cuit"), &["20055361682", "20267565393"]);
        refuses_single_changes(row("cl.rut"), &["125319092", "123456785", "20347878K"]);
        refuses_single_changes(row("ca.sin"), &["046454286", "123456782"]);
        refuses_single_changes(row("mx.rfc"), &["GODE561231GR8", "MAB9307148T4"]);
        // Modulus 10 with even weights misses changes by 5.
        assert!(curp(b"HEGG560427MVZRRL04") && curp(b"BOXW310820HNERXN09") && !curp(b"HEGG560428MVZRRL04"));
    }
}
