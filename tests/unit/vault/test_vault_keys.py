from __future__ import annotations

import os
import threading

import pytest
from vault_samples import CHEAP, PASSPHRASE

from assistant.errors import VaultError, WrongPassphrase
from assistant.vault.keys import Cost, MasterKey, Stretcher, Wrapped, stretch_recovery
from assistant.vault.recovery import new_recovery_code, recovery_secret

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def test_a_new_passphrase_costs_128_mebibytes_three_passes_and_four_lanes() -> None:
    assert Cost() == Cost(m=128 * 1024, t=3, p=4)
    Cost().check()


def test_the_same_passphrase_and_salt_give_the_same_key_and_nothing_else_does() -> None:
    stretcher, salt = Stretcher(), os.urandom(16)
    key = stretcher.stretch(PASSPHRASE, CHEAP, salt)
    assert len(key) == 32
    assert key == stretcher.stretch(PASSPHRASE, CHEAP, salt)
    others = (
        stretcher.stretch(PASSPHRASE + "!", CHEAP, salt),
        stretcher.stretch(PASSPHRASE, CHEAP, os.urandom(16)),
        stretcher.stretch(PASSPHRASE, Cost(CHEAP.m, 2, 1), salt),
        stretcher.stretch(PASSPHRASE, Cost(CHEAP.m, 1, 2), salt),
        stretcher.stretch(PASSPHRASE, Cost(CHEAP.m + 8, 1, 1), salt),
    )
    assert len({key, *others}) == 6


def test_several_people_unlocking_at_once_all_get_their_own_key() -> None:
    stretcher, salt = Stretcher(), os.urandom(16)
    found: dict[int, bytes] = {}

    def unlock(person: int) -> None:
        found[person] = stretcher.stretch(f"person number {person}", CHEAP, salt)

    people = [threading.Thread(target=unlock, args=(person,)) for person in range(4)]
    for thread in people:
        thread.start()
    for thread in people:
        thread.join()
    assert found == {person: stretcher.stretch(f"person number {person}", CHEAP, salt) for person in range(4)}


def test_argon2id_gives_what_another_implementation_gives() -> None:
    # argon2-cffi 25.1.0: hash_secret_raw("hämärän hyssy på ön", b"sixteen byte sal", 1, 19456, 1, 32, Type.ID)
    expected = "527b4702af5d03abc4d0f32cc05a86cb3b87d1626fc4d2d608587685582e3367"
    assert Stretcher().stretch(PASSPHRASE, CHEAP, b"sixteen byte sal").hex() == expected


def test_a_wrapped_key_opens_only_with_its_own_wrapping_key_and_what_it_is_bound_to() -> None:
    master, wrapping = MasterKey.random(), os.urandom(32)
    wrapped = master.wrap(wrapping, b"vault|passphrase|1")
    assert MasterKey.unwrap(wrapping, wrapped, b"vault|passphrase|1").subkey("db v1") == master.subkey("db v1")
    for key, bound in ((os.urandom(32), b"vault|passphrase|1"), (wrapping, b"vault|recovery|1"), (wrapping, b"")):
        with pytest.raises(WrongPassphrase):
            MasterKey.unwrap(key, wrapped, bound)
    with pytest.raises(WrongPassphrase):
        MasterKey.unwrap(wrapping, Wrapped(os.urandom(12), wrapped.ciphertext), b"vault|passphrase|1")


def test_each_purpose_has_a_key_of_its_own() -> None:
    # Computed with HMAC alone: HKDF-SHA256 without salt, info "db v1" and so on, of 32 zero bytes.
    zero = MasterKey(bytes(32))
    assert {purpose: zero.subkey(purpose).hex() for purpose in ("db v1", "export v1", "blob v1")} == {
        "db v1": "e845c5f1927c0d1c3161e51ebca4f5d41261cc60ddd8f9195d94c266118e7dda",
        "export v1": "1e8eed7abcf4c369f5e8a4b79a6410524e1b32c82db5ab4824a6b24c4881ccf8",
        "blob v1": "602dd881dbba1c50e95c3603b3cf622dad680af6024ffb64e8ffd4cbbd673893",
    }


def test_a_forgotten_master_key_is_zeroes() -> None:
    master = MasterKey.random()
    master.forget()
    assert master.subkey("db v1") == MasterKey(bytes(32)).subkey("db v1")


def test_a_recovery_code_is_six_groups_of_five_and_never_the_same() -> None:
    codes = [new_recovery_code() for _ in range(200)]
    assert len({recovery_secret(code) for code in codes}) == 200
    for code in codes:
        assert [len(group) for group in code.split("-")] == [5] * 6
        assert set(code) <= set(ALPHABET) | {"-"}
    # 26 characters carry 130 bits: each place takes every value sooner or later.
    assert all(len({code.replace("-", "")[place] for code in codes}) > 20 for place in range(26))


@pytest.mark.parametrize(
    "typed",
    [
        "0t0vb-f1ty4-kcrwq-jpksy-fmhrg-3568r",
        "OTOVB-FITY4-KCRWQ-JPKSY-FMHRG-3568R",
        "otovb flty4 kcrwq jpksy fmhrg 3568r",
        "0T0VBF1TY4KCRWQJPKSYFMHRG3568R",
        "  0T0VB – F1TY4 – KCRWQ\n— JPKSY\u00a0FMHRG_3568R. ",
        "0T0V BF1T Y4KC RWQJ PKSY FMHR G356 8R",
        "０Ｔ０ＶＢ－F1TY4-KCRWQ\u200b-JPKSY-FMHRG-3568R",
    ],
)
def test_a_recovery_code_may_be_typed_in_any_case_with_any_marks_and_look_alikes(typed: str) -> None:
    assert recovery_secret(typed) == recovery_secret("0T0VB-F1TY4-KCRWQ-JPKSY-FMHRG-3568R")


def test_every_single_wrong_character_is_noticed() -> None:
    code = new_recovery_code().replace("-", "")
    for place, right in enumerate(code):
        for wrong in ALPHABET.replace(right, ""):
            with pytest.raises(VaultError, match="recovery_code_mistyped"):
                recovery_secret(code[:place] + wrong + code[place + 1 :])


def test_two_exchanged_characters_are_noticed() -> None:
    code = new_recovery_code().replace("-", "")
    for first in range(26):
        for second in range(first + 1, 26):
            if code[first] != code[second]:
                swapped = list(code)
                swapped[first], swapped[second] = swapped[second], swapped[first]
                with pytest.raises(VaultError, match="recovery_code_mistyped"):
                    recovery_secret("".join(swapped))


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "-",
        "0T0VB",
        "0T0VB-F1TY4-KCRWQ-JPKSY-FMHRG",
        "0T0VB-F1TY4-KCRWQ-JPKSY-FMHRG-3568R0",
        "UT0VB-F1TY4-KCRWQ-JPKSY-FMHRG-3568R",
        "٠T0VB-F1TY4-KCRWQ-JPKSY-FMHRG-3568R",
    ],
)
def test_a_code_with_too_few_too_many_or_strange_characters_is_mistyped(typed: str) -> None:
    with pytest.raises(VaultError, match="recovery_code_mistyped"):
        recovery_secret(typed)


def test_a_recovery_code_stretches_as_written_down_for_format_1() -> None:
    secret = recovery_secret("0T0VB-F1TY4-KCRWQ-JPKSY-FMHRG-3568R")
    assert secret.hex() == "001a06d6f0ebc49b31cbcad3cf9f48e203"
    assert (
        stretch_recovery(secret, b"sixteen byte sal").hex()
        == "0edd098b0f6fbca4d25ebfd880fdfa9bd0afce689452190789870729208ae8df"
    )
