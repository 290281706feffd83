//! Tokens of source forges and package registries.
//!
//! Not here: tokens of build servers (`building`).
//!
//! Always: every row has a shape of its own and texts it finds and leaves.

use crate::stages::redact::detect::secrets::check;
use crate::stages::redact::detect::secrets::format::{Format, inside, labelled, token};
use crate::stages::redact::kind::Kind;

const GITHUB: &str = "variety; CRC32 in base62 at the end makes it surer";

#[rustfmt::skip]
pub(in super::super) static FORMATS: [Format; 48] = [
    token("github.personal", &["ghp_"], r"ghp_[0-9A-Za-z]{36,251}", &["‹ghp_{b62:36}›"], &["ghp_{b62:12}"]).kind(Kind::GithubToken).proved_by(check::github, GITHUB),
    token("github.oauth", &["gho_"], r"gho_[0-9A-Za-z]{36,251}", &["‹gho_{b62:36}›"], &["gho_{b62:12}"]).kind(Kind::GithubToken).proved_by(check::github, GITHUB),
    token("github.user", &["ghu_"], r"ghu_[0-9A-Za-z]{36,251}", &["‹ghu_{b62:36}›"], &["ghu_{b62:12}"]).kind(Kind::GithubToken).proved_by(check::github, GITHUB),
    token("github.server", &["ghs_"], r"ghs_[0-9A-Za-z]{36,251}", &["‹ghs_{b62:36}›"], &["ghs_{b62:12}"]).kind(Kind::GithubToken).proved_by(check::github, GITHUB),
    token("github.refresh", &["ghr_"], r"ghr_[0-9A-Za-z]{36,251}", &["‹ghr_{b62:36}›"], &["ghr_{b62:12}"]).kind(Kind::GithubToken).proved_by(check::github, GITHUB),
    token("github.fine_grained", &["github_pat_"], r"github_pat_[0-9A-Za-z_]{82,244}", &["‹github_pat_{b62:22}_{b62:59}›"], &["github_pat_{b62:12}"]).kind(Kind::GithubToken).score(0.99),
    labelled("github.legacy", &["github"], r"[0-9a-f]{40}", &["github_token = \"‹{hex:40}›\""], &["github commit: {hex:40}"]).kind(Kind::GithubToken).score(0.8),
    token("gitlab.personal", &["glpat-"], r"glpat-[0-9A-Za-z_-]{20}(?:[0-9A-Za-z_-]{7}\.[0-9a-z]{2}\.[0-9a-z]{9}|[0-9A-Za-z_-]{0,30}(?:\.[0-9a-z.]{4,20})?)", &["‹glpat-{b64url:20}›"], &["glpat-{b62:6}"]),
    token("gitlab.pipeline_trigger", &["glptt-"], r"glptt-[0-9a-f]{40}", &["‹glptt-{hex:40}›"], &["glptt-{hex:6}"]),
    token("gitlab.deploy", &["gldt-"], r"gldt-[0-9A-Za-z_-]{20}", &["‹gldt-{b62:20}›"], &["gldt-{b62:6}"]),
    token("gitlab.runner", &["glrt-"], r"glrt-[0-9A-Za-z_.-]{20,50}", &["‹glrt-{b62:20}›"], &["glrt-{b62:6}"]),
    token("gitlab.runner_registration", &["GR1348941"], r"GR1348941[0-9A-Za-z_-]{20}", &["‹GR1348941{b62:20}›"], &["GR1348941{b62:6}"]),
    token("gitlab.ci_job", &["glcbt-"], r"glcbt-[0-9A-Za-z]{1,5}_[0-9A-Za-z_-]{20}", &["‹glcbt-64_{b62:20}›"], &["glcbt-{b62:3}"]),
    token("gitlab.feed", &["glft-"], r"glft-(?:[0-9A-Za-z_-]{20}|[0-9a-f]{64}(?:-[0-9]+)?)", &["‹glft-{b62:20}›"], &["glft-{b62:6}"]),
    token("gitlab.incoming_mail", &["glimt-"], r"glimt-[0-9A-Za-z_-]{25}", &["‹glimt-{b62:25}›"], &["glimt-{b62:6}"]),
    token("gitlab.agent", &["glagent-"], r"glagent-[0-9A-Za-z_-]{50}", &["‹glagent-{b62:50}›"], &["glagent-{b62:6}"]),
    token("gitlab.oauth_secret", &["gloas-"], r"gloas-[0-9A-Za-z_-]{64}", &["‹gloas-{b62:64}›"], &["gloas-{b62:6}"]),
    token("gitlab.scim", &["glsoat-"], r"glsoat-[0-9A-Za-z_-]{20}", &["‹glsoat-{b62:20}›"], &["glsoat-{b62:6}"]),
    token("gitlab.feature_flags", &["glffct-"], r"glffct-[0-9A-Za-z_-]{20}", &["‹glffct-{b62:20}›"], &["glffct-{b62:6}"]),
    token("gitlab.session", &["_gitlab_session="], r"_gitlab_session=([0-9a-f]{32})", &["Cookie: _gitlab_session=‹{hex:32}›"], &["_gitlab_session=none"]),
    token("bitbucket.app_password", &["ATBB"], r"ATBB[A-Za-z0-9]{24}[A-F0-9]{8}", &["‹ATBB{b62:24}{HEX:8}›"], &["ATBB{b62:6}"]),
    token("bitbucket.repository", &["ATCTT3xFfGN0"], r"ATCTT3xFfGN0[A-Za-z0-9_-]{171}(?:=|\\?=|%3[dD]|\\u003[dD])[A-F0-9]{8}", &["‹ATCTT3xFfGN0{b62:171}={HEX:8}›"], &["ATCTT3xFfGN0{b62:6}"]),
    token("bitbucket.http_access", &["BBDC-"], r"BBDC-[NMO][ADgjQTwz][A-Za-z0-9+/]{42}", &["‹BBDC-MT{b62:42}›"], &["BBDC-{b62:6}"]),
    labelled("bitbucket.oauth", &["bitbucket"], r"[A-Za-z0-9_=-]{32,64}", &["bitbucket_client_secret: ‹{b62:32}›"], &["bitbucket {b62:32}"]),
    token("atlassian.api_token", &["ATATT3"], r"ATATT3[A-Za-z0-9_-]{160,200}(?:=|\\=|%3[dD]|\\u003[dD]|\\x3[dD])?[A-F0-9]{0,8}", &["‹ATATT3xFfGF0{b62:171}={HEX:8}›"], &["ATATT3{b62:6}"]),
    token("atlassian.trello", &["ATTA"], r"ATTA[0-9a-f]{64}[0-9A-F]{8}", &["‹ATTA{hex:64}{HEX:8}›"], &["ATTACHMENT ATTA{hex:6}"]),
    labelled("atlassian.server_pat", &["jira", "confluence", "atlassian"], r"(?:[NMO][ADgjQTwz][A-Za-z0-9+/]{42}|[A-Za-z0-9]{24})", &["JIRA_TOKEN=‹MT{b62:42}›"], &["jira MT{b62:42}"]),
    token("sourcegraph.token", &["sgp_"], r"sgp_(?:[a-fA-F0-9]{16}_|local_)[a-fA-F0-9]{40}", &["‹sgp_{hex:16}_{hex:40}›"], &["sgp_{hex:6}"]),
    labelled("gitea.token", &["gitea", "forgejo", "codeberg", "gogs"], r"[0-9a-f]{40}", &["GITEA_TOKEN=‹{hex:40}›"], &["gitea {hex:40}"]),
    labelled("gitee.token", &["gitee"], r"[0-9a-f]{32}", &["gitee_access_token: ‹{hex:32}›"], &["gitee {hex:32}"]),
    token("npm.token", &["npm_"], r"npm_[A-Za-z0-9]{36}", &["positive:‹npm_{b62:36}›"], &["npm_config_registry npm_{b62:9}"]).proved_by(check::crc_tail, "variety; CRC32 in base62 at the end makes it surer"),
    token("pypi.token", &["pypi-AgE"], r"pypi-AgE[A-Za-z0-9_-]{70,}", &["‹pypi-AgEIcHlwaS5vcmc{b64url:90}›"], &["pypi-AgEnt"]),
    token("pypi.test_token", &["pypi-AgENdGVzdC5weXBpLm9yZ"], r"pypi-AgENdGVzdC5weXBpLm9yZ[A-Za-z0-9_-]{50,}", &["‹pypi-AgENdGVzdC5weXBpLm9yZ{b64url:90}›"], &["pypi-AgENdGVz"]).score(0.99),
    token("rubygems.key", &["rubygems_"], r"rubygems_[a-f0-9]{48}", &["‹rubygems_{hex:48}›"], &["rubygems_{hex:6} rubygems_version"]),
    token("crates.token", &["cio"], r"cio[A-Za-z0-9]{32}", &["‹cio{b62:32}›"], &["cio{b62:6}"]),
    token("nuget.key", &["oy2"], r"oy2[a-z0-9]{43}", &["‹oy2{b36:43}›"], &["oy2{b36:6}"]),
    token("docker.personal", &["dckr_pat_"], r"dckr_pat_[A-Za-z0-9_-]{27}", &["‹dckr_pat_{b62:27}›"], &["dckr_pat_{b62:6}"]),
    token("docker.organization", &["dckr_oat_"], r"dckr_oat_[A-Za-z0-9_-]{32}", &["‹dckr_oat_{b62:32}›"], &["dckr_oat_{b62:6}"]),
    token("clojars.token", &["CLOJARS_"], r"CLOJARS_[a-f0-9]{60}", &["‹CLOJARS_{hex:60}›"], &["CLOJARS_USERNAME CLOJARS_{hex:6}"]),
    token("packagist.token", &["packagist_"], r"packagist_(?:uut|org_uut|ort|orw|out)_[a-f0-9]{68}", &["‹packagist_uut_{hex:68}›"], &["packagist_{hex:6}"]),
    token("jfrog.api_key", &["AKCp"], r"AKCp[A-Za-z0-9]{69}", &["‹AKCp{b58:69}›"], &["AKCp{b62:9}", "AKCp{b58:68}0"]).proved_by(check::base58, "base58; variety"),
    token("jfrog.reference", &["cmVmdGtu"], r"cmVmdGtuO[A-Za-z0-9_-]{55}", &["‹cmVmdGtuOjAxO{b62:51}›"], &["cmVmdGtuOlRoZXJl"]).proved_by(check::jfrog_reference, "decodes to reftkn:version:time:id"),
    token("cloudsmith.key", &["ctk_", "csa_"], r"(?:ctk|csa)_[a-f0-9]{40}", &["‹csa_{hex:40}›"], &["csa_{hex:6}"]),
    labelled("sonatype.token", &["sonatype", "ossrh", "nexus"], r"[A-Za-z0-9+/]{44}", &["SONATYPE_TOKEN=‹{b62:44}›"], &["nexus {b62:44}"]),
    token("jsr.token", &["jsrp_", "jsrd_"], r"jsr[pd]_[A-Za-z0-9]{60}", &["‹jsrp_{b62:60}›"], &["jsrp_{b62:6}"]),
    token("huggingface.token", &["hf_"], r"hf_[A-Za-z0-9]{34,40}", &["‹hf_{b62:34}›"], &["hf_hub_download hf_{b62:8}"]),
    token("huggingface.organization", &["api_org_"], r"api_org_[A-Za-z0-9]{34}", &["‹api_org_{b62:34}›"], &["api_org_{b62:8}"]),
    inside("pem.base64", &["LS0tLS1CRUdJTi", "0tLS0tQkVHSU4", "tLS0tLUJFR0lO"], r"[A-Za-z0-9+/_-]{0,96}(?:LS0tLS1CRUdJTi|0tLS0tQkVHSU4|tLS0tLUJFR0lO)[A-Za-z0-9+/=_-]{60,}", &["data: ‹LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t{b64:100}›"], &["LS0tLS1CRUdJTi short"]).kind(Kind::PrivateKey).proved_by(check::armoured_key, "decodes to the first line of a private key").grows(),
];
