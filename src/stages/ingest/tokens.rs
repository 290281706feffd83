//! How many tokens a conversation has for a model.
//!
//! Counted is the redacted text: the content of every message, and the name and arguments of every
//! tool call, each as plain text of its own. Not counted: roles, what a chat template writes around
//! messages, tool definitions. A log's own figures are other columns (`input_tokens`).
//!
//! Always: names of special tokens (`<|endoftext|>`) that stand in a text count as the text they are.

use tiktoken::CoreBpe;

use crate::config::Tokenizer;
use crate::record::{Conversation, Message};

/// Shared between threads; the vocabulary is unpacked when it is first asked for.
#[derive(Clone, Copy)]
pub struct Counter(Option<&'static CoreBpe>);

impl Counter {
    pub fn new(tokenizer: Tokenizer) -> Counter {
        Counter(tiktoken::get_encoding(match tokenizer {
            Tokenizer::Cl100kBase => "cl100k_base",
            Tokenizer::O200kBase => "o200k_base",
        }))
    }

    pub fn count(&self, conversation: &Conversation) -> Option<u64> {
        let vocabulary = self.0?;
        let texts = |message: &Message| {
            let calls = message.tool_calls.iter().flat_map(|call| [&call.name, &call.arguments]);
            calls.map(|text| vocabulary.count(text)).sum::<usize>() + vocabulary.count(&message.content)
        };
        Some(conversation.messages.iter().map(texts).sum::<usize>() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Role, ToolCall};

    /// Counts as OpenAI's own tiktoken 0.14 (Python) gives them.
    #[test]
    fn contents_and_calls_are_counted_as_tiktoken_counts_them() {
        let call = ToolCall { id: "call_1".into(), name: "get_order".into(), arguments: r#"{"id":"A-1"}"#.into() };
        let conversation = Conversation {
            messages: vec![
                Message::text(Role::User, "hello world"),
                Message { tool_calls: vec![call], ..Message::text(Role::Assistant, "") },
                Message::text(Role::Tool, "<|endoftext|> 注文した商品はまだ届いていません 1234567"),
            ],
            ..Default::default()
        };
        for (tokenizer, count) in [(Tokenizer::O200kBase, 32), (Tokenizer::Cl100kBase, 37)] {
            assert_eq!(Counter::new(tokenizer).count(&conversation), Some(count), "{tokenizer:?}");
        }
    }
}
