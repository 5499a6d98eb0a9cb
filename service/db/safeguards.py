"""The triggers and functions that the promise rests on, as the newest migration leaves them. A test compares this list
with a database that was just migrated: who adds a migration adds its triggers and functions here.
"""

from __future__ import annotations

TRIGGERS = {
    "api_key_held": "api_key aside_hold_api_keys 30",
    "api_key_recorded": "api_key aside_record_api_key 29",
    "api_key_stamp": "api_key aside_stamp_api_key 7",
    "api_key_truncated": "api_key aside_record_api_key_truncation 34",
    "change_truncated": "change aside_next_epoch 32",
    "entity_deleted": "entity aside_bury 9",
    "entity_inserted": "entity aside_note_changes 4",
    "entity_renamed": "entity aside_bury 17",
    "entity_stamp": "entity aside_stamp 23",
    "entity_truncated": "entity aside_entities_truncated 32",
    "entity_updated": "entity aside_note_changes 16",
    "parameter_recorded": "entity aside_record_parameter 21",
    "parameter_stamp": "entity aside_stamp_parameter 23",
    "parameter_truncated": "entity aside_record_truncation 34",
    "policy_held": "policy aside_hold_edition 30",
    "policy_recorded": "policy aside_record_policy 29",
    "policy_stamp": "policy aside_stamp_policy 23",
    "policy_truncated": "policy aside_record_policy_truncation 34",
}
"""By name: the table, the function, and `pg_trigger.tgtype`, which says when it fires."""

FUNCTIONS = {
    "aside_actor": "15be285d57",
    "aside_bounded": "23ea1be103",
    "aside_bury": "c7d3244d2c",
    "aside_entities_truncated": "99d1996fcf",
    "aside_generation": "7b35fd9625",
    "aside_hold_api_keys": "ff9ae576f1",
    "aside_hold_edition": "05155171d1",
    "aside_merge_patch": "b462276762",
    "aside_next_api_key_edition": "e82aec5763",
    "aside_next_edition": "e7140f3041",
    "aside_next_epoch": "8f4f262ab3",
    "aside_note": "d16381fea9",
    "aside_note_changes": "ceaa40d117",
    "aside_parameter": "1a955b2129",
    "aside_parameter_is_true": "1dc17dcdbc",
    "aside_record_api_key": "5e209f2e89",
    "aside_record_api_key_truncation": "2b7936cc50",
    "aside_record_parameter": "89ae63f2fe",
    "aside_record_policy": "2644f4f2d3",
    "aside_record_policy_truncation": "8ca1bfc20f",
    "aside_record_truncation": "a82e2633d0",
    "aside_rfc3339": "3f84c57c68",
    "aside_stamp": "22a47fd370",
    "aside_stamp_api_key": "62fe121f20",
    "aside_stamp_parameter": "8653d5b032",
    "aside_stamp_policy": "7314298647",
}
"""By name: the first ten digits of the MD5 of its body, `pg_proc.prosrc`."""
