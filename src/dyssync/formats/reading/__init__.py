"""What all formats share: files opened under limits, tables, XML, demographics, the recording."""
