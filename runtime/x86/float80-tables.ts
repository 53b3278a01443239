/**
 * Constants of the x87's transcendental functions to 128 bits: tables by which arguments are brought near 0.
 * tests/runtime/x86/float80-tables.test.ts computes them anew.
 */
/** 2^(-k/16) for k = 1 … 16, times 2^128. */
// biome-ignore format: a table
export const powersOfTwo: readonly bigint[] = [
  0xf5257d152486cc2c7b9d0c7aed980fc3n, 0xeac0c6e7dd24392ed02d75b3706e54fbn,
  0xe0ccdeec2a94e111065895048dd333can, 0xd744fccad69d6af439a68bb9902d3fden,
  0xce248c151f8480e3e235838f95f2c6edn, 0xc5672a115506dadd3e2ad0c964dd9f37n,
  0xbd08a39f580c36bea8811fb66d0faf7an, 0xb504f333f9de6484597d89b3754abe9fn,
  0xad583eea42a14ac64980a8c8f59a2ec4n, 0xa5fed6a9b15138ea1cbd7f621710701bn,
  0x9ef5326091a111ada0911f09ebb9fdd1n, 0x9837f0518db8a96f46ad23182e42f6f6n,
  0x91c3d373ab11c3360fd6d8e0ae5ac9d8n, 0x8b95c1e3ea8bd6e6fbe4628758a53c90n,
  0x85aac367cc487b14c5c95b8c2154c1b2n, 0x80000000000000000000000000000000n,
];

/** log2(32/j) for j = 23 … 45, times 2^112, modulo 2^128. */
// biome-ignore format: a table
export const logarithms: readonly bigint[] = [
  0x000079f7d7f94e2acd3bed456b24ed11n, 0x00006a3fe5c6042978605ff4edf5f974n,
  0x00005b2c3da19723a80db6a048059281n, 0x00004caffb8dc3b9a1968925e378d67dn,
  0x00003ebfb1520c7c69211fdec9e1ec5dn, 0x0000315130157f7a64ccd536fc5bec1an,
  0x0000245b5b8556692da5a475e64e39c9n, 0x000017d60496cfbb4c673b4511f8c2b5n,
  0x00000bb9ca64ecac6aaef2e1c07f0439n, 0x00000000000000000000000000000000n,
  0xfffff4a2964538813c6764fc87b4a41fn, 0xffffe99c090536ece98333ac7d9ebba9n,
  0xffffdee74ee64b0c38d3b087205eb55bn, 0xffffd47fcb8c0852f0c0bfe9dbebf2e9n,
  0xffffca6143a49626d8203dc2687fcf94n, 0xffffc087d28dfb2febb8ae4cceb0f622n,
  0xffffb6efe153c7e319f6e91ad16ecff1n, 0xffffad961ed0cb91d406db502402c941n,
  0xffffa47778c98bcc86a1cab7d2ec23f1n, 0xffff9b9115db83a3dd2d352bea51e58fn,
  0xffff92e050231df57d6fae441c09d762n, 0xffff8a62b07f3457c407050799beaaabn,
  0xffff8215ea5cd3e4c4c79b39ffeebc29n,
];

/** atan(i/16) for i = 0 … 15, times 2^128. */
// biome-ignore format: a table
export const arctangents: readonly bigint[] = [
  0x00000000000000000000000000000000n, 0x0ffaaddb967ef4e36cb2792dc0e2e0d5n,
  0x1fd5ba9aac2f6dc65912f313e7d111dfn, 0x2f72f6979cb6044d1ec2d3e207271d22n,
  0x3eb6ebf25901bac55b71e7bd7de885f9n, 0x4d89dcdc1faf2f34e2d5da4c693d7994n,
  0x5bd86507937bc239c55190916e7f2242n, 0x6993bb0f308ff2db213e4af4800f389bn,
  0x76b19c1586ed3da2b7f222f65e1d4682n, 0x832bf4a6d9867e2a4b6a09cb61a515c1n,
  0x8f005d5ef7f59f9b5c835e1665c43748n, 0x9a2f80e671bdda204226f8e2204ff3bdn,
  0xa4bc7d1934f7092419a87f2a457dac9fn, 0xaeac4c38b4d8c08014725e2f3e52070an,
  0xb8053e2bc2319e73cb2da55210a4443dn, 0xc0ce85b8ac52664089dd62c46e92fa25n,
];

/** ln 2, times 2^128. */
export const naturalLogOf2 = 0xb17217f7d1cf79abc9e3b39803f2f6afn;
/** log2 e, times 2^127. */
export const logOfE = 0xb8aa3b295c17f0bbbe87fed0691d3e89n;
/** π, times 2^126. */
export const pi = 0xc90fdaa22168c234c4c6628b80dc1cd1n;
