"""From the leads that a page shows, 2.5 s each, to a recording of its typical beats.

`tracks`: what each lead shows, on one clock of the paper. `beats`: when the beats come, and what
the typical one of each lead is. `together`: beats of columns that no strip ties to each other.
`laying`: leads as long as a recording. `recording` puts them together, or says why it cannot be.
"""
