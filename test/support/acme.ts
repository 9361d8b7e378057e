/** One payer, and a card by which each of its tokens costs a cent. */
export const acme = {
    'accounts.yaml':
        '- { account_id: acme, name: Acme, currency: USD, valid_from: 2026-01-01T00:00:00Z }\n',
    'card.yaml': `
card: list
version: "1"
currency: USD
charges:
  - product: llm
    meter: tokens
    unit: token
    model: per_unit
    rates:
      - { when: {}, price: "0.01", from: 2025-01-01T00:00:00Z }
`,
} as const;
