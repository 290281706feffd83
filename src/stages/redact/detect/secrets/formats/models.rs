//! Keys of model providers and of the services around them.
//!
//! Not here: data stores for vectors (`data`), gateways that take a cloud's own keys (`cloud`).
//!
//! Always: every row has a shape of its own and texts it finds and leaves.

use crate::stages::redact::detect::secrets::format::{Format, labelled, token};
use crate::stages::redact::kind::Kind;

#[rustfmt::skip]
pub(in super::super) static FORMATS: [Format; 49] = [
    token("anthropic.key", &["sk-ant-"], r"sk-ant-[A-Za-z0-9_-]{48,}", &["‹sk-ant-sid01-{b62:80}›"], &["sk-ant-{b62:12}"]).kind(Kind::AnthropicKey).score(0.97),
    token("anthropic.api_key", &["sk-ant-api"], r"sk-ant-api03-[A-Za-z0-9_-]{93}AA", &["‹sk-ant-api03-{b62:93}AA›"], &["sk-ant-api03-{b62:12}"]).kind(Kind::AnthropicKey).score(0.99),
    token("anthropic.admin_key", &["sk-ant-admin"], r"sk-ant-admin01-[A-Za-z0-9_-]{93}AA", &["‹sk-ant-admin01-{b62:93}AA›"], &["sk-ant-admin01-{b62:12}"]).kind(Kind::AnthropicKey).score(0.99),
    token("anthropic.oauth", &["sk-ant-oat", "sk-ant-ort"], r"sk-ant-o[ar]t01-[A-Za-z0-9_-]{48,}", &["‹sk-ant-oat01-{b62:95}›"], &["sk-ant-oat01-{b62:12}"]).kind(Kind::AnthropicKey).score(0.99),
    token("openai.project_key", &["sk-proj-"], r"sk-proj-[A-Za-z0-9_-]{40,}", &["‹sk-proj-{b62:74}T3BlbkFJ{b62:74}›"], &["sk-proj-{b62:9}"]).kind(Kind::OpenaiKey),
    token("openai.service_key", &["sk-svcacct-"], r"sk-svcacct-[A-Za-z0-9_-]{40,}", &["‹sk-svcacct-{b62:74}T3BlbkFJ{b62:74}›"], &["sk-svcacct-{b62:9}"]).kind(Kind::OpenaiKey),
    token("openai.admin_key", &["sk-admin-"], r"sk-admin-[A-Za-z0-9_-]{40,}", &["‹sk-admin-{b62:58}T3BlbkFJ{b62:58}›"], &["sk-admin-{b62:9}"]).kind(Kind::OpenaiKey),
    token("openai.marked_key", &["sk-"], r"sk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}", &["‹sk-{b62:20}T3BlbkFJ{b62:20}›"], &["sk-{b62:9}"]).kind(Kind::OpenaiKey).score(0.99),
    token("openai.key", &["sk-"], r"sk-[A-Za-z0-9]{48}", &["‹sk-{b62:48}›"], &["sk-{b62:20}"]).kind(Kind::OpenaiKey).score(0.9),
    token("openai.session", &["sess-"], r"sess-[A-Za-z0-9]{40}", &["‹sess-{b62:40}›"], &["sess-{b62:9}"]).kind(Kind::OpenaiKey).score(0.9),
    token("openai.dashed_key", &["sk-None-"], r"sk-None-[A-Za-z0-9_-]{40,}", &["‹sk-None-{b62:48}›"], &["sk-None-{b62:9}"]).kind(Kind::OpenaiKey),
    token("deepseek.key", &["sk-"], r"sk-[a-f0-9]{32}", &["‹sk-{hex:32}›"], &["sk-{hex:8}"]).score(0.85),
    token("openrouter.key", &["sk-or-"], r"sk-or-v1-[a-f0-9]{64}", &["‹sk-or-v1-{hex:64}›"], &["sk-or-v1-{hex:6}"]),
    token("replicate.token", &["r8_"], r"r8_[A-Za-z0-9]{37,40}", &["‹r8_{b62:37}›"], &["r8_{b62:6}"]),
    token("groq.key", &["gsk_"], r"gsk_[A-Za-z0-9]{52}", &["‹gsk_{b62:52}›"], &["gsk_{b62:6}"]),
    token("perplexity.key", &["pplx-"], r"pplx-[A-Za-z0-9]{48,56}", &["‹pplx-{b62:48}›"], &["pplx-70b-online"]),
    token("xai.key", &["xai-"], r"xai-[A-Za-z0-9]{70,84}", &["‹xai-{b62:80}›"], &["xai-{b62:6}"]),
    token("together.key", &["tgp_v1_"], r"tgp_v1_[A-Za-z0-9_-]{43}", &["‹tgp_v1_{b62:43}›"], &["tgp_v1_{b62:6}"]),
    token("fireworks.key", &["fw_"], r"fw_[A-Za-z0-9]{22,26}", &["‹fw_{b62:24}›"], &["fw_{b62:6}"]),
    token("nvidia.key", &["nvapi-"], r"nvapi-[A-Za-z0-9_-]{60,70}", &["‹nvapi-{b62:64}›"], &["nvapi-{b62:6}"]),
    token("cerebras.key", &["csk-"], r"csk-[a-z0-9]{48}", &["‹csk-{b36:48}›"], &["csk-{b36:6}"]),
    token("voyage.key", &["pa-"], r"pa-[A-Za-z0-9_-]{43}", &["‹pa-{b62:43}›"], &["pa-{b62:6}"]),
    token("jina.key", &["jina_"], r"jina_[a-z0-9]{32}[A-Za-z0-9_-]{28}", &["‹jina_{hex:32}{b62:28}›"], &["jina_{b62:6}"]),
    token("elevenlabs.key", &["sk_"], r"sk_[a-f0-9]{48}", &["‹sk_{hex:48}›"], &["sk_{hex:6}"]),
    token("tavily.key", &["tvly-"], r"tvly-(?:dev-|prod-)?[A-Za-z0-9]{32}", &["‹tvly-{b62:32}›"], &["tvly-{b62:6}"]),
    token("firecrawl.key", &["fc-"], r"fc-[a-f0-9]{32}", &["‹fc-{hex:32}›"], &["fc-{hex:6}"]),
    token("brave.search_key", &["BSA"], r"BSA[A-Za-z0-9_-]{28}", &["‹BSA{b62:28}›"], &["BSA{b62:6}"]),
    token("apify.token", &["apify_api_"], r"apify_api_[A-Za-z0-9]{36}", &["‹apify_api_{b62:36}›"], &["apify_api_{b62:6}"]),
    token("e2b.key", &["e2b_"], r"e2b_[a-f0-9]{40}", &["‹e2b_{hex:40}›"], &["e2b_{hex:6}"]),
    token("modal.token", &["ak-", "as-"], r"a[ks]-[A-Za-z0-9]{22}", &["‹as-{b62:22}›"], &["as-{b62:6} well as-is"]),
    token("runpod.key", &["rpa_"], r"rpa_[A-Z0-9]{40,50}", &["‹rpa_{B36:44}›"], &["rpa_{B36:6}"]),
    token("langsmith.personal", &["lsv2_pt_"], r"lsv2_pt_[a-f0-9]{32}_[a-f0-9]{10}", &["‹lsv2_pt_{hex:32}_{hex:10}›"], &["lsv2_pt_{hex:6}"]),
    token("langsmith.service", &["lsv2_sk_"], r"lsv2_sk_[a-f0-9]{32}_[a-f0-9]{10}", &["‹lsv2_sk_{hex:32}_{hex:10}›"], &["lsv2_sk_{hex:6}"]),
    token("langfuse.secret_key", &["sk-lf-"], r"sk-lf-[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}", &["‹sk-lf-{hex:8}-{hex:4}-{hex:4}-{hex:4}-{hex:12}›"], &["sk-lf-{hex:6}"]),
    token("helicone.key", &["sk-helicone-"], r"sk-helicone-(?:eu-)?[a-z0-9]{7}-[a-z0-9]{7}-[a-z0-9]{7}-[a-z0-9]{7}", &["‹sk-helicone-{b36:7}-{b36:7}-{b36:7}-{b36:7}›"], &["sk-helicone-{b36:4}"]),
    token("wandb.key", &["wandb_v1_"], r"wandb_v1_[A-Za-z0-9_]{60,90}", &["‹wandb_v1_{b62:77}›"], &["wandb_v1_{b62:6}"]),
    labelled("wandb.legacy_key", &["wandb"], r"[a-f0-9]{40}", &["WANDB_API_KEY=‹{hex:40}›"], &["wandb run {hex:40}"]),
    labelled("cohere.key", &["cohere", "co_api_key"], r"[A-Za-z0-9]{40}", &["COHERE_API_KEY=‹{b62:40}›"], &["cohere {b62:40}"]),
    labelled("mistral.key", &["mistral"], r"[A-Za-z0-9]{32}", &["MISTRAL_API_KEY=‹{b62:32}›"], &["mistral {b62:32}"]),
    labelled("assemblyai.key", &["assemblyai"], r"[a-f0-9]{32}", &["ASSEMBLYAI_API_KEY=‹{hex:32}›"], &["assemblyai {hex:32}"]),
    labelled("deepgram.key", &["deepgram"], r"[a-f0-9]{40}", &["DEEPGRAM_API_KEY=‹{hex:40}›"], &["deepgram {hex:40}"]),
    labelled("azure.openai_key", &["azure_openai", "openai_api"], r"[a-f0-9]{32}", &["AZURE_OPENAI_API_KEY=‹{hex:32}›"], &["azure openai {hex:32}"]),
    labelled("serper.key", &["serper", "serpapi"], r"[a-f0-9]{40,64}", &["SERPER_API_KEY=‹{hex:40}›"], &["serper {hex:40}"]),
    labelled("exa.key", &["exa_api"], r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", &["EXA_API_KEY=‹{hex:8}-{hex:4}-{hex:4}-{hex:4}-{hex:12}›"], &["exa {hex:8}-{hex:4}-{hex:4}-{hex:4}-{hex:12}"]),
    token("kaggle.token", &["KGAT_"], r"KGAT_[a-f0-9]{32}", &["‹KGAT_{hex:32}›"], &["KGAT_{hex:6}"]),
    labelled("zhipu.key", &["zhipu", "glm", "zai"], r"[a-f0-9]{32}\.[A-Za-z0-9]{16}", &["ZHIPU_API_KEY=‹{hex:32}.{b62:16}›"], &["zhipu {hex:32}"]),
    labelled("stability.key", &["stability", "clarifai", "roboflow"], r"[a-zA-Z0-9]{20,32}", &["ROBOFLOW_API_KEY=‹{b62:20}›"], &["roboflow {b62:20}"]),
    token("cursor.key", &["key_"], r"key_[a-f0-9]{64}", &["‹key_{hex:64}›"], &["key_{hex:6} key_name"]),
    token("sambanova.vapi", &["vapi_", "sn_"], r"(?:vapi|sn)_[a-f0-9]{8}(?:-[a-f0-9]{4}){3}-[a-f0-9]{12}", &["‹vapi_{hex:8}-{hex:4}-{hex:4}-{hex:4}-{hex:12}›"], &["vapi_{hex:6}"]),
];
