"""What Countersign is measured against: each as plain as it can be and still do its part."""
