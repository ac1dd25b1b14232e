from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from vault_samples import OTHER_PASSPHRASE, PASSPHRASE, Clock, made, read_json, vaults_in, write_json

from assistant.domain import LANGUAGES
from assistant.errors import VaultError, WrongPassphrase
from assistant.wording import explain

if TYPE_CHECKING:
    from pathlib import Path


def test_a_forgotten_passphrase_is_replaced_with_the_recovery_code_however_it_is_typed(tmp_path: Path) -> None:
    vaults = vaults_in(tmp_path)
    vault_id, code = made(vaults)
    typed = code.lower().replace("0", "o").replace("1", "l").replace("-", " ")

    vaults.unlock_with_recovery(vault_id, typed, OTHER_PASSPHRASE).lock()

    vaults.unlock(vault_id, OTHER_PASSPHRASE).lock()
    with pytest.raises(WrongPassphrase):
        vaults.unlock(vault_id, PASSPHRASE)
    vaults.unlock_with_recovery(vault_id, code, PASSPHRASE).lock()  # the code is good for another time
    vaults.unlock(vault_id, PASSPHRASE).lock()


def test_recovery_asks_for_a_good_passphrase_and_a_code_without_slips_before_it_counts_as_a_try(tmp_path: Path) -> None:
    vaults = vaults_in(tmp_path)
    vault_id, code = made(vaults)
    slip = code[:-1] + ("2" if code[-1] != "2" else "3")
    for _ in range(10):
        with pytest.raises(VaultError, match="passphrase_short"):
            vaults.unlock_with_recovery(vault_id, code, "kort")
        with pytest.raises(VaultError, match="recovery_code_mistyped"):
            vaults.unlock_with_recovery(vault_id, slip, OTHER_PASSPHRASE)
    vaults.unlock(vault_id, PASSPHRASE).lock()


def test_somebody_elses_recovery_code_is_refused_in_the_words_of_a_wrong_passphrase(tmp_path: Path) -> None:
    vaults = vaults_in(tmp_path)
    (mine, _), (_, code_of_another) = made(vaults, "Kuu"), made(vaults, "Aurinko")
    with pytest.raises(WrongPassphrase) as by_code:
        vaults.unlock_with_recovery(mine, code_of_another, OTHER_PASSPHRASE)
    with pytest.raises(WrongPassphrase) as by_passphrase:
        vaults.unlock(mine, OTHER_PASSPHRASE)
    for language in LANGUAGES:
        assert explain(language, by_code.value) == explain(language, by_passphrase.value)
    vaults.unlock(mine, PASSPHRASE).lock()


def test_each_wrong_try_makes_the_next_wait_longer_up_to_a_minute_and_the_right_one_ends_it(tmp_path: Path) -> None:
    clock = Clock()
    vault_id, _ = made(vaults_in(tmp_path, clock))
    waits = []
    for _ in range(11):
        with pytest.raises(WrongPassphrase) as refused:
            vaults_in(tmp_path, clock).unlock(vault_id, OTHER_PASSPHRASE)  # a restart does not help
        waits.append(refused.value.params["wait_s"])
        clock.now += float(str(waits[-1]))
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]

    vaults_in(tmp_path, clock).unlock(vault_id, PASSPHRASE).lock()
    with pytest.raises(WrongPassphrase) as refused:
        vaults_in(tmp_path, clock).unlock(vault_id, OTHER_PASSPHRASE)
    assert refused.value.params["wait_s"] == 0


def test_during_the_wait_nothing_is_tried_at_all(tmp_path: Path) -> None:
    clock = Clock()
    vaults = vaults_in(tmp_path, clock)
    vault_id, code = made(vaults)
    for _ in range(6):
        with pytest.raises(WrongPassphrase) as refused:
            vaults.unlock(vault_id, OTHER_PASSPHRASE)
        clock.now += float(str(refused.value.params["wait_s"]))
    clock.now -= 3  # three of the eight seconds are left
    with pytest.raises(WrongPassphrase) as refused:
        vaults.unlock(vault_id, PASSPHRASE)
    assert refused.value.params["wait_s"] == 3
    with pytest.raises(WrongPassphrase) as refused:
        vaults.unlock_with_recovery(vault_id, code, OTHER_PASSPHRASE)
    assert refused.value.params["wait_s"] == 3

    # A header whose costs are refused as soon as anything is derived shows that nothing was.
    header = tmp_path / vault_id / "header.json"
    content = read_json(header)
    write_json(header, content | {"kdf": content["kdf"] | {"m": 2**32}}, mend_checksum=True)
    with pytest.raises(WrongPassphrase):
        vaults.unlock(vault_id, PASSPHRASE)
    clock.now += 3
    with pytest.raises(VaultError, match="kdf_refused"):
        vaults.unlock(vault_id, PASSPHRASE)


def test_a_clock_set_back_a_year_costs_one_more_wait_and_locks_nobody_out(tmp_path: Path) -> None:
    clock = Clock()
    vaults = vaults_in(tmp_path, clock)
    vault_id, _ = made(vaults)
    for _ in range(5):
        clock.now += 60
        with pytest.raises(WrongPassphrase):
            vaults.unlock(vault_id, OTHER_PASSPHRASE)
    clock.now -= 365 * 86_400
    with pytest.raises(WrongPassphrase) as refused:
        vaults.unlock(vault_id, PASSPHRASE)
    assert refused.value.params["wait_s"] == 4
    clock.now += 4
    vaults.unlock(vault_id, PASSPHRASE).lock()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"failed": "x", "last": 1}', '{"failed": 9, "last": NaN}', '{"failed": -1, "last": 0}']
)
def test_a_broken_count_of_tries_keeps_nobody_out(tmp_path: Path, content: str) -> None:
    vaults = vaults_in(tmp_path)
    vault_id, _ = made(vaults)
    (tmp_path / vault_id / "attempts.json").write_text(content)
    vaults.unlock(vault_id, PASSPHRASE).lock()
