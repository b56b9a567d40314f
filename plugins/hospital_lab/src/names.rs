//! Ids that the laboratory itself speaks of, interned once.

use labtrust_kernel::{Symbol, Symbols};

macro_rules! names {
    ($($field:ident $text:literal),+ $(,)?) => {
        /// Interned ids known to the code.
        #[derive(Debug, Clone, Copy)]
        pub(crate) struct Names { $(pub $field: Symbol),+ }

        impl Names {
            pub(crate) fn new(symbols: &mut Symbols) -> Self {
                Self { $($field: symbols.intern($text)),+ }
            }
        }
    };
}

names! {
    empty "",
    system "SYSTEM",
    specimen_entity "Specimen",
    pass "pass",
    fail "fail",
    control_role "R_SYSTEM_CONTROL",
    inv_zone_001 "INV-ZONE-001",
    inv_zone_002 "INV-ZONE-002",
    inv_zone_004 "INV-ZONE-004",
    inv_zone_005 "INV-ZONE-005",
    inv_zone_006 "INV-ZONE-006",
    inv_tok_001 "INV-TOK-001",
    inv_tok_002 "INV-TOK-002",
    inv_tok_003 "INV-TOK-003",
    inv_crit_002 "INV-CRIT-002",
    inv_crit_005 "INV-CRIT-005",
    inv_crit_006 "INV-CRIT-006",
    inv_coc_001 "INV-COC-001",
    inv_transport_001 "INV-TRANSPORT-001",
    inv_sig_001 "INV-SIG-001",
    inv_sig_002 "INV-SIG-002",
    id_mismatch "ID_MISMATCH",
    int_leaking "INT_LEAKING",
    citrate_fill "CNT_CITRATE_FILL_INVALID",
}
