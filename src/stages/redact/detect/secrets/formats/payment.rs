//! Keys that move money: payment, shops, exchanges.
//!
//! Not here: card numbers and accounts (`detect::finance`).
//!
//! Always: every row has a shape of its own and texts it finds and leaves.

use crate::stages::redact::detect::secrets::format::{Format, labelled, token};
use crate::stages::redact::kind::Kind;

#[rustfmt::skip]
pub(in super::super) static FORMATS: [Format; 44] = [
    token("stripe.secret_key", &["sk_live_", "sk_test_", "sk_prod_"], r"sk_(?:live|test|prod)_[0-9A-Za-z]{10,200}", &["‹sk_live_{b62:24}›"], &["sk_live_{b62:6}"]).kind(Kind::StripeKey).distinct(8),
    token("stripe.restricted_key", &["rk_live_", "rk_test_", "rk_prod_"], r"rk_(?:live|test|prod)_[0-9A-Za-z]{10,200}", &["‹rk_live_{b62:24}›"], &["rk_live_{b62:6}"]).kind(Kind::StripeKey).distinct(8),
    token("stripe.publishable_key", &["pk_live_", "pk_test_"], r"pk_(?:live|test)_[0-9A-Za-z]{20,200}", &["‹pk_live_{b62:24}›"], &["pk_live_{b62:6}"]).kind(Kind::StripeKey).score(0.7),
    token("stripe.webhook_secret", &["whsec_"], r"whsec_[0-9A-Za-z+/=]{32,64}", &["‹whsec_{b62:32}›"], &["whsec_{b62:6}"]).kind(Kind::StripeKey),
    token("square.access_token", &["EAAA"], r"EAAA[0-9A-Za-z_-]{60}", &["‹EAAA{b64url:60}›"], &["EAAA{b62:12}"]),
    token("square.client_id", &["sq0"], r"sq0[a-z]{3}-[0-9A-Za-z_-]{22}", &["‹sq0idp-{b62:22}›"], &["sq0idp-{b62:6}"]),
    token("square.oauth_secret", &["sq0csp-"], r"sq0csp-[0-9A-Za-z_-]{43}", &["‹sq0csp-{b62:43}›"], &["sq0csp-{b62:6}"]),
    token("paypal.braintree", &["access_token$"], r"access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}", &["‹access_token$production${b36:16}${hex:32}›"], &["access_token$production$x"]),
    labelled("paypal.secret", &["paypal"], r"E[A-Za-z0-9_-]{79}", &["PAYPAL_CLIENT_SECRET=‹E{b62:79}›"], &["paypal E{b62:79}"]),
    token("plaid.access_token", &["access-"], r"access-(?:sandbox|development|production)-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", &["‹access-sandbox-{hex:8}-{hex:4}-{hex:4}-{hex:4}-{hex:12}›"], &["access-sandbox-only"]),
    labelled("plaid.secret", &["plaid"], r"(?:[0-9a-f]{30}|[0-9a-f]{24})", &["PLAID_SECRET=‹{hex:30}›"], &["plaid {hex:30}"]),
    token("adyen.api_key", &["AQE"], r"AQE[a-z][A-Za-z0-9+/=-]{60,200}", &["‹AQEy{b62:110}›"], &["AQEy{b62:9}"]),
    token("razorpay.key", &["rzp_"], r"rzp_(?:live|test)_[A-Za-z0-9]{14}", &["‹rzp_live_{b62:14}›"], &["rzp_live_{b62:4}"]),
    token("flutterwave.secret_key", &["FLWSECK"], r"FLWSECK(?:_TEST)?-[0-9A-Za-z]{12,40}(?:-X)?", &["‹FLWSECK_TEST-{hex:32}-X›"], &["FLWSECK_TEST-{hex:6}"]),
    token("flutterwave.public_key", &["FLWPUBK"], r"FLWPUBK(?:_TEST)?-[0-9A-Za-z]{12,40}(?:-X)?", &["‹FLWPUBK_TEST-{hex:32}-X›"], &["FLWPUBK_TEST-{hex:6}"]).score(0.7),
    token("mollie.key", &["live_", "test_"], r"(?:live|test)_[A-Za-z0-9]{30}", &["‹live_{b62:30}›"], &["test_{b62:6} test_that_it_works_as_expected_by_all"]),
    token("lob.key", &["live_pub_", "test_pub_", "live_", "test_"], r"(?:live|test)_(?:pub_)?[a-f0-9]{31,35}", &["‹live_{hex:35}›"], &["test_{hex:6}"]),
    token("gocardless.token", &["live_"], r"live_[A-Za-z0-9=_-]{40}", &["‹live_{b62:40}›"], &["live_{b62:8}"]).needs_digit(),
    token("checkout.key", &["sk_"], r"sk_(?:sbox_)?[a-z0-9]{26}[a-z0-9*#$=]", &["‹sk_sbox_{b36:27}›"], &["sk_sbox_{b36:6}"]),
    token("shippo.token", &["shippo_"], r"shippo_(?:live|test)_[a-f0-9]{40}", &["‹shippo_live_{hex:40}›"], &["shippo_live_{hex:6}"]),
    token("easypost.key", &["EZAK", "EZTK"], r"EZ[AT]K[A-Za-z0-9]{54}", &["‹EZAK{b62:54}›"], &["EZAK{b62:6}"]),
    token("duffel.token", &["duffel_"], r"duffel_(?:live|test)_[A-Za-z0-9=_-]{43}", &["‹duffel_test_{b62:43}›"], &["duffel_test_{b62:6}"]),
    token("paddle.key", &["pdl_"], r"pdl_(?:live|sdbx)_apikey_[a-z0-9]{26}_[A-Za-z0-9]{22}_[A-Za-z0-9]{3}", &["‹pdl_live_apikey_{b36:26}_{b62:22}_{b62:3}›"], &["pdl_live_apikey_x"]),
    token("xendit.key", &["xnd_"], r"xnd_(?:public_)?(?:development|production)_[A-Za-z0-9]{40,70}", &["‹xnd_development_{b62:60}›"], &["xnd_development_x"]),
    token("midtrans.key", &["Mid-server-", "Mid-client-"], r"Mid-(?:server|client)-[A-Za-z0-9_-]{24}", &["‹Mid-server-{b62:24}›"], &["Mid-server-x"]),
    token("shopify.access_token", &["shpat_"], r"shpat_[a-fA-F0-9]{32}", &["‹shpat_{hex:32}›"], &["shpat_{hex:6}"]),
    token("shopify.custom_app", &["shpca_"], r"shpca_[a-fA-F0-9]{32}", &["‹shpca_{hex:32}›"], &["shpca_{hex:6}"]),
    token("shopify.private_app", &["shppa_"], r"shppa_[a-fA-F0-9]{32}", &["‹shppa_{hex:32}›"], &["shppa_{hex:6}"]),
    token("shopify.shared_secret", &["shpss_"], r"shpss_[a-fA-F0-9]{32}", &["‹shpss_{hex:32}›"], &["shpss_{hex:6}"]),
    token("woocommerce.key", &["ck_", "cs_"], r"c[ks]_[a-f0-9]{40}", &["‹ck_{hex:40}›"], &["ck_{hex:6}"]),
    labelled("etsy.token", &["etsy"], r"[a-z0-9]{24}", &["ETSY_API_KEY=‹{b36:24}›"], &["etsy {b36:24}"]),
    labelled("squarespace.token", &["squarespace"], r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", &["SQUARESPACE_API_KEY=‹{hex:8}-{hex:4}-{hex:4}-{hex:4}-{hex:12}›"], &["squarespace {hex:8}-{hex:4}-{hex:4}-{hex:4}-{hex:12}"]),
    labelled("coinbase.token", &["coinbase"], r"[A-Za-z0-9_-]{64}", &["COINBASE_API_SECRET=‹{b62:64}›"], &["coinbase {b62:64}"]),
    labelled("binance.key", &["binance"], r"[A-Za-z0-9]{64}", &["BINANCE_SECRET_KEY=‹{b62:64}›"], &["binance {b62:64}"]),
    labelled("kraken.key", &["kraken"], r"[A-Za-z0-9/=_+-]{80,90}", &["KRAKEN_PRIVATE_KEY=‹{b62:88}›"], &["kraken {b62:88}"]),
    labelled("kucoin.key", &["kucoin"], r"(?:[a-f0-9]{24}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", &["KUCOIN_API_KEY=‹{hex:24}›"], &["kucoin {hex:24}"]),
    labelled("bittrex.key", &["bittrex"], r"[a-f0-9]{32}", &["BITTREX_SECRET=‹{hex:32}›"], &["bittrex {hex:32}"]),
    labelled("finicity.token", &["finicity"], r"(?:[a-f0-9]{32}|[a-zA-Z0-9]{20})", &["FINICITY_API_TOKEN=‹{hex:32}›"], &["finicity {hex:32}"]),
    labelled("finnhub.token", &["finnhub"], r"[a-z0-9]{20}", &["FINNHUB_TOKEN=‹{b36:20}›"], &["finnhub {b36:20}"]),
    labelled("alphavantage.key", &["alphavantage", "alpha_vantage"], r"[A-Z0-9]{16}", &["ALPHAVANTAGE_API_KEY=‹{B36:16}›"], &["alphavantage {B36:16}"]),
    labelled("infura.key", &["infura"], r"[a-f0-9]{32}", &["INFURA_API_KEY=‹{hex:32}›"], &["infura {hex:32}"]),
    labelled("alchemy.key", &["alchemy"], r"[A-Za-z0-9_-]{32}", &["ALCHEMY_API_KEY=‹{b62:32}›"], &["alchemy {b62:32}"]),
    labelled("etherscan.key", &["etherscan", "bscscan", "polygonscan"], r"[A-Z0-9]{34}", &["ETHERSCAN_API_KEY=‹{B36:34}›"], &["etherscan {B36:34}"]),
    labelled("ethereum.private_key", &["private_key", "privatekey", "deployer"], r"(?:0x)?[a-fA-F0-9]{64}", &["PRIVATE_KEY=‹0x{hex:64}›"], &["transaction 0x{hex:64}"]),
];
