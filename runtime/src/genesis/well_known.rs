//! Accounts whose secrets everybody has: those of the SDK's development phrase.

use crate::AccountId;
use alloc::collections::BTreeSet;
use hex_literal::hex;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// Keys of sr25519 and Ed25519 that the keyrings lack: of the phrase itself, and of `//Zombie`, which tools
/// for local networks fund.
const KEYS: [[u8; 32]; 4] = [
	hex!("46ebddef8cd9bb167dc30878d7113b7e168e6f0646beffd77d69d39bad76b47a"),
	hex!("962cc5ac9204c0e678ff70ef034d1fc4315c9dbde9dae75d4fb116ac73682c0f"),
	hex!("345071da55e5dccefaaa440339415ef9f2663338a38f7da0df21be5ab4e055ef"),
	hex!("fc9812b4a06b9591e9be649af886d21ed78eff915c72dd918d97747bc4cab3a1"),
];

/// Accounts that sign with ECDSA, and then those that sign as Ethereum's do: of the phrase itself, of
/// `//Zombie` and of each name in the keyrings.
const ECDSA: [[u8; 32]; 32] = [
	hex!("bc9539b36a87a586b1aa20fbe23a1db3ef3edcd65b44a2dc4444cc552687633f"),
	hex!("99fab51a9fe5c815fdfce74d352c00172a29e3388cc0ee60f09d153358a3c8eb"),
	hex!("400098782d72cf06b10a0ca1e9324dcf2ca0a4b0028ecdeeb97f7108cee06ef7"),
	hex!("ec6357524928b2ecf8f316aba8491b2f01dc74c96b590135d50f53f587e0117f"),
	hex!("01e552298e47454041ea31273b4b630c64c104e4514aa3643490b8aaca9cf8ed"),
	hex!("3f6eaf1be5add88d84ca8b02d350074935dbf04f53f4287cb6abfd6b33413f8f"),
	hex!("6672035dd6010e55e08eb707d171b5ec790bfea44f93ea8b1d22503033de45cd"),
	hex!("2452e6b66a46450f6858ef72934278407eb42de707c9abe67b8cb41707565ef3"),
	hex!("b71a0812a1edaa236625ba525279201448be05f3a97c02f796db63944bf29895"),
	hex!("fb5ead485f2af13bc4ad5ec43055c15cfe893ed543f8052f2db45cc5c73d0a30"),
	hex!("0dcdff87f204fcf502c4cdd417ca73df9d06bf640d2f50af5fbe8225fe026b4b"),
	hex!("8140beed032fe6592e6b19e905ac3146465fcb2cc01de4abd0fed2c13a8ae3e2"),
	hex!("62cb88bb1e8556d6ac19c961e601ae090a05fa8a414e76f407e0512603984e96"),
	hex!("8455a656286fe7a47ac3820c75524b327a6c3d8b5c3d424176951c25ef743042"),
	hex!("cb4267cf5374f84a104d5f74956c4660e747ec3556aa685bf101bd3f6eb39382"),
	hex!("1506715124f1fd6b515f594ed37faf8b540a54e88fcea95c5e033459c3c4e6ee"),
	hex!("0034aec74ba678b1124cec7e5b098b714a31b372eeeeeeeeeeeeeeeeeeeeeeee"),
	hex!("2af188a91731c0dba17386c56a6788a1ad8792abeeeeeeeeeeeeeeeeeeeeeeee"),
	hex!("b8440cab131bde5d0a8fad8b805a32b88b91cb8ceeeeeeeeeeeeeeeeeeeeeeee"),
	hex!("511196a932c3201bb8b442d842854b21b65d5515eeeeeeeeeeeeeeeeeeeeeeee"),
	hex!("c161f0da9f05ad6d5c259bd98a38d5ed63c6d66deeeeeeeeeeeeeeeeeeeeeeee"),
	hex!("2379b6dd06c6d3f72bb3fd7f367acf4cde15a5c4eeeeeeeeeeeeeeeeeeeeeeee"),
	hex!("e08bf71dc70c3289ebe67751b7eda1f0b2da965ceeeeeeeeeeeeeeeeeeeeeeee"),
	hex!("ffef41c9bf1d91bf02b51b0debb8e9234679200aeeeeeeeeeeeeeeeeeeeeeeee"),
	hex!("f7b3ad28627563275b77869297bbfde6374221a9eeeeeeeeeeeeeeeeeeeeeeee"),
	hex!("c4489f395de8358f0e156199d94b624405bcfc22eeeeeeeeeeeeeeeeeeeeeeee"),
	hex!("a9cfc30f8aa13c5e8c6a118f46432f0b9d414e8aeeeeeeeeeeeeeeeeeeeeeeee"),
	hex!("84b806ff745b2be420a22c99eeeec28a9cb49a9eeeeeeeeeeeeeeeeeeeeeeeee"),
	hex!("e314847ba48bb68480987c5c483c009eb699abe0eeeeeeeeeeeeeeeeeeeeeeee"),
	hex!("ac4d80c3f92efa4a72d5d6f8447878dae57fa06beeeeeeeeeeeeeeeeeeeeeeee"),
	hex!("2b33377aadbec4959d43a29727432333f04ed19beeeeeeeeeeeeeeeeeeeeeeee"),
	hex!("2f3e2c2b4881abe8499df0c127d1c51f6d6b8c39eeeeeeeeeeeeeeeeeeeeeeee"),
];

/// Every such account.
pub fn accounts() -> BTreeSet<AccountId> {
	Sr25519Keyring::iter()
		.map(|key| key.to_account_id())
		.chain(Ed25519Keyring::iter().map(|key| key.to_account_id()))
		.chain(KEYS.into_iter().chain(ECDSA).map(AccountId::new))
		.collect()
}
