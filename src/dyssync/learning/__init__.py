"""What models and pretraining share to learn with.

`picture_config` says what pictures look like, `network_input` draws them, `network` is what sees
them, `training` the one loop that fits it, `checkpoint` what that needs after an interruption.
"""
