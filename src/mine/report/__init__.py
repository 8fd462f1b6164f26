"""What people see: figures. matplotlib is imported when one is drawn."""
