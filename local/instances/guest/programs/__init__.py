"""Programs that Amazon Linux 2023 has and the host may lack; each `main(box, argv)` is one."""
